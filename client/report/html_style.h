// How the page looks, by day and by night.
#pragma once

namespace socketeer::report {

// CSS without characters that XML would escape, so that the page is well-formed XML, too.
extern const char* const kPageStyle;

}  // namespace socketeer::report
