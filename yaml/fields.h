// Reading YAML strictly: each key known and given once, each word plain, each mistake with its place.
#pragma once

#include <yaml-cpp/yaml.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace socketeer::yaml {

// Bytes of the file as a message may have them, at most so many.
using Show = std::string (*)(std::string_view bytes, size_t most);

struct Word {
  std::string text;
  int line = 0;
};

// How a mistake's place is told: "policy.yaml:12", or "hosts.yaml:12:5".
enum class Places { kLines, kColumns };

// The first mistake in a file; those that follow may come of it.
class Problems {
 public:
  Problems(std::string file, Show show, Places places = Places::kLines)
      : file_(std::move(file)), show_(show), places_(places) {}

  void Note(int line, const std::string& what);
  void Note(const YAML::Node& at, const std::string& what) { Note(at.Mark(), what); }
  void Note(const YAML::Mark& at, const std::string& what);
  // "policy.yaml:12: ..."; "": there is none.
  const std::string& first() const { return first_; }
  // What was given, safe in a message.
  std::string Quoted(std::string_view text) const;
  std::string Shown(std::string_view text, size_t most) const { return show_(text, most); }
  // So many identities and addresses are used, groups counted where they are named: a file must not fill the memory.
  // False: they are too many.
  bool Spend(int line, size_t count);

  // Its entries; none for a node that is absent. `what` says what it must be a list of.
  std::vector<YAML::Node> List(const YAML::Node& node, std::string_view what, size_t most = 10'000);
  // The same of words; one alone needs no list.
  std::vector<Word> Words(const YAML::Node& node, std::string_view what);
  // Of 1 to 1,024 bytes of ASCII without control characters, and without a tag.
  std::string OneWord(const YAML::Node& node, std::string_view what);

  static int LineOf(const YAML::Node& node) { return node.Mark().line + 1; }

 private:
  void Keep(const std::string& place, const std::string& what);

  const std::string file_;
  const Show show_;
  const Places places_;
  std::string first_;
  size_t spent_ = 0;
};

// The keys of a map.
class Fields {
 public:
  Fields(const YAML::Node& map, std::initializer_list<std::string_view> known, Problems* problems);

  bool Has(const std::string& key) const { return (*this)[key].IsDefined(); }
  // Undefined when it is absent.
  YAML::Node operator[](const std::string& key) const;

 private:
  YAML::Node map_;
};

}  // namespace socketeer::yaml
