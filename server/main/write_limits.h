// Where the daemon may write: landlock(7). Of the thread that calls and those that it starts: so before there are
// others.
#pragma once

#include <string>
#include <vector>

#include "server/base/result.h"

namespace socketeer {

// From now on, and for good, files are written, made, renamed and made longer or shorter beneath `folders` alone, no
// program is started, and no process outside looked into. But UNIX sockets are bound, and files removed, wherever this
// user may: callers bind where their policy allows, and what was bound is removed. A folder that is not there is passed
// over. False: this kernel, or whoever started us, has no Landlock for us, and nothing is limited. FilterSystemCalls()
// comes first: it sets no_new_privs.
base::Result<bool> LimitWrites(const std::vector<std::string>& folders);

// The folder of `path`: "." of a name alone.
std::string FolderOf(const std::string& path);

}  // namespace socketeer
