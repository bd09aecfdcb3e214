// A second router, to compare with: every template is a regular expression for each of its
// segments, and every one of them is tried against every path. Knows str, int and path.
#pragma once

#include <regex>
#include <string>
#include <tuple>
#include <vector>

namespace tercel::test {

class SlowRouter {
 public:
  void add(const std::string& text) {
    static const std::regex field{R"(\{(\w+)(?::(\w+))?\})"};
    Entry entry{text, {}, {}};
    for (const std::string& segment : cut(text)) {
      Level level;
      std::string expression;
      std::string literals;
      std::size_t literal_bytes = 0;
      std::size_t fields = 0;
      std::size_t at = 0;
      bool path = false;
      for (std::sregex_iterator it{segment.begin(), segment.end(), field}, end; it != end; ++it) {
        const std::string literal = segment.substr(at, it->position() - at);
        at = it->position() + it->length();
        literal_bytes += literal.size();
        (literals += literal) += '\0';  // Below every other byte, as the end of a string is.
        expression += escaped(literal) + "([^]+)";
        entry.names.push_back((*it)[1]);
        level.ints.push_back((*it)[2] == "int");
        path = path || (*it)[2] == "path";
        ++fields;
      }
      const std::string literal = segment.substr(at);
      literal_bytes += literal.size();
      literals += literal;
      level.expression = std::regex{expression + escaped(literal)};
      level.path = path;
      const int kind = path ? 3 : fields == 0 ? 0 : literal_bytes == 0 ? 2 : 1;
      level.rank = {kind, -static_cast<long>(literal_bytes), literals};
      entry.levels.push_back(level);
    }
    entries_.push_back(entry);
  }

  // "/a/{x} x=1" or "404". `path` has nothing percent-encoded.
  [[nodiscard]] std::string find(const std::string& path) const {
    const Entry* best = nullptr;
    std::string out = "404";
    for (const Entry& entry : entries_) {
      std::vector<std::string> captures;
      if (!matches(entry, path, captures)) continue;
      if (best != nullptr && !precedes(entry, *best)) continue;
      best = &entry;
      out = entry.text;
      for (std::size_t i = 0; i < captures.size(); ++i) {
        out += " " + entry.names[i] + "=" + captures[i];
      }
    }
    return out;
  }

 private:
  struct Level {
    std::regex expression;
    std::vector<bool> ints;
    bool path = false;
    std::tuple<int, long, std::string> rank;
  };
  struct Entry {
    std::string text;
    std::vector<std::string> names;
    std::vector<Level> levels;
  };

  static std::vector<std::string> cut(const std::string& path) {
    std::vector<std::string> out;
    std::size_t begin = 1;
    for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
      end = path.find('/', begin);
      out.push_back(path.substr(begin, end == std::string::npos ? end : end - begin));
    }
    return out;
  }

  static std::string escaped(const std::string& literal) {
    std::string out;
    for (const char c : literal) (out += c == '.' ? "\\" : "") += c;
    return out;
  }

  static bool matches(const Entry& entry, const std::string& path,
                      std::vector<std::string>& captures) {
    const std::vector<std::string> segments = cut(path);
    for (std::size_t i = 0; i < entry.levels.size(); ++i) {
      const Level& level = entry.levels[i];
      if (i == segments.size()) return false;
      if (level.path) {
        std::string rest = segments[i];
        for (std::size_t j = i + 1; j < segments.size(); ++j) rest += "/" + segments[j];
        captures.push_back(rest);
        return true;
      }
      std::smatch match;
      if (!std::regex_match(segments[i], match, level.expression)) return false;
      for (std::size_t j = 1; j < match.size(); ++j) {
        static const std::regex integer{"-?[0-9]+"};
        if (level.ints[j - 1] && !std::regex_match(match[j].str(), integer)) return false;
        captures.push_back(match[j]);
      }
    }
    return entry.levels.size() == segments.size();
  }

  static bool precedes(const Entry& a, const Entry& b) {
    for (std::size_t i = 0; i < std::min(a.levels.size(), b.levels.size()); ++i) {
      if (a.levels[i].rank != b.levels[i].rank) return a.levels[i].rank < b.levels[i].rank;
    }
    return false;  // Both match, so they are the same.
  }

  std::vector<Entry> entries_;
};

}  // namespace tercel::test
