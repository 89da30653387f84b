#include "protocol/config/env_file.hpp"

#include "protocol/config/document.hpp"
#include "protocol/config/names.hpp"

#include <algorithm>
#include <unordered_map>

namespace troupe::config {

namespace {

constexpr std::size_t problems_max = 100; // of a file that is none, nobody reads more

bool is_variable(std::string_view name) {
  return !name.empty() && name.size() <= 128 && !(name[0] >= '0' && name[0] <= '9')
         && std::all_of(name.begin(), name.end(), [](char c) {
              return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || c == '_';
            });
}

/// An unquoted value ends at a `#` after white space that stands in no quotes.
std::string_view without_comment(std::string_view value) {
  char quote = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"')
        ++i;
      else if (c == quote)
        quote = 0;
    } else if ((c == '"' || c == '\'') && value.find(c, i + 1) != std::string_view::npos) {
      quote = c; // an apostrophe alone quotes nothing
    } else if (c == '#' && (i == 0 || value[i - 1] == ' ' || value[i - 1] == '\t')) {
      return value.substr(0, i);
    }
  }
  return value;
}

class env_reader {
public:
  env_reader(std::string_view text, std::string_view source, config_problems& problems)
      : rest_(text), source_(source), problems_(problems) {}

  std::vector<env_entry> read() {
    if (rest_.starts_with("\xEF\xBB\xBF"))
      rest_.remove_prefix(3);
    while (!rest_.empty()) {
      ++line_;
      const auto end = std::min(rest_.find('\n'), rest_.size());
      const auto line = trimmed(rest_.substr(0, end));
      if (line.empty() || line.starts_with('#'))
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
      else
        entry(line, end);
    }
    return std::move(entries_);
  }

private:
  void entry(std::string_view line, std::size_t end) {
    const auto equals = rest_.find('=');
    auto name = trimmed(rest_.substr(0, std::min(equals, end)));
    if (name.starts_with("export ") || name.starts_with("export\t"))
      name = trimmed(name.substr(7));
    if (equals >= end || !is_variable(name)) {
      const bool no_equals = line.find('=') == std::string_view::npos;
      refuse(line_, {},
             no_equals ? "NAME=value is expected here; a value over several lines needs quotes"
                       : "the name before = must be of letters, digits and underscores");
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      return;
    }
    const env_entry begun{std::string{name}, {}, line_};
    rest_.remove_prefix(equals + 1);
    const auto blank = rest_.find_first_not_of(" \t");
    rest_.remove_prefix(std::min(blank, rest_.size()));
    if (rest_.starts_with('"') || rest_.starts_with('\''))
      quoted_value(begun);
    else
      plain_value(begun);
  }

  /// A key that stands on a line of its own may look like a name.
  void refuse(std::size_t line, std::string_view name, std::string text) {
    if (problems_.size() < problems_max)
      problems_.push_back({std::string{source_}, line,
                           name.empty() ? std::string{} : printable_name(name), std::move(text)});
  }

  void add(env_entry e, std::string value) {
    e.value = std::move(value);
    const auto [known, is_new] = index_.emplace(e.name, entries_.size());
    if (is_new)
      entries_.push_back(std::move(e));
    else
      entries_[known->second] = std::move(e);
  }

  void plain_value(const env_entry& begun) {
    const auto end = std::min(rest_.find('\n'), rest_.size());
    add(begun, std::string{trimmed(without_comment(rest_.substr(0, end)))});
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
  }

  void quoted_value(const env_entry& begun) {
    const char quote = rest_.front();
    std::string value;
    std::size_t i = 1;
    for (; i < rest_.size() && rest_[i] != quote; ++i) {
      if (rest_[i] == '\n')
        ++line_;
      if (rest_[i] == '\r' && rest_.substr(i + 1, 1) == "\n")
        continue;
      if (quote == '"' && rest_[i] == '\\' && i + 1 < rest_.size())
        escape(value, rest_[++i]);
      else
        value += rest_[i];
    }
    if (i >= rest_.size()) {
      refuse(begun.line, begun.name, "its quote has no end");
      rest_ = {};
      return;
    }
    rest_.remove_prefix(i + 1);
    const auto end = std::min(rest_.find('\n'), rest_.size());
    const auto after = trimmed(rest_.substr(0, end));
    if (!after.empty() && !after.starts_with('#'))
      refuse(line_, begun.name, "something follows its closing quote");
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    add(begun, std::move(value));
  }

  void escape(std::string& value, char c) {
    switch (c) {
    case 'n':
      value += '\n';
      return;
    case 't':
      value += '\t';
      return;
    case 'r':
      value += '\r';
      return;
    case '"':
    case '$':
    case '\\':
      value += c;
      return;
    default:
      break;
    }
    if (c == '\n')
      ++line_;
    value += '\\'; // not an escape: both characters stand for themselves
    value += c;
  }

  std::string_view rest_;
  std::string_view source_;
  config_problems& problems_;
  std::vector<env_entry> entries_;
  std::unordered_map<std::string, std::size_t> index_;
  std::size_t line_ = 0;
};

} // namespace

std::vector<env_entry> read_env_file(std::string_view text, std::string_view source,
                                     config_problems& problems) {
  if (text.size() > document_bytes_max) {
    problems.push_back({std::string{source},
                        0,
                        {},
                        "longer than " + std::to_string(document_bytes_max) + " bytes"});
    return {};
  }
  if (text.find('\0') != std::string_view::npos) {
    problems.push_back({std::string{source}, 0, {}, "holds a zero byte: this is no text file"});
    return {};
  }
  return env_reader{text, source, problems}.read();
}

} // namespace troupe::config
