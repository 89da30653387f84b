#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::cli {

/// What a value means, for who can see colours. The text alone must say the same.
enum class tone : std::uint8_t { plain, good, worth_a_look, bad, faint };

struct cell {
  std::string text; ///< as it came: what draws it escapes it
  tone how = tone::plain;

  cell(std::string t = {}, tone h = tone::plain) : text(std::move(t)), how(h) {}
  cell(std::string_view t, tone h = tone::plain) : text(t), how(h) {}
  cell(const char* t, tone h = tone::plain) : text(t), how(h) {}
};

/// Where something is drawn.
struct look {
  std::size_t columns = 0; ///< cut to it; 0: nothing is cut
  bool colours = false;
};

struct column {
  std::string_view title;
  bool right = false;   ///< numbers
  bool shrinks = false; ///< may be cut where the terminal is narrow
};

/// Rows below titles, as wide as their content. Values are shown escaped.
class table {
public:
  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}

  /// As many cells as columns; what lacks is empty.
  void add(std::vector<cell> row);

  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }

  std::string draw(const look& l) const;

private:
  std::vector<column> columns_;
  std::vector<std::vector<cell>> rows_;
};

/// Names and values of one thing, a line each; nothing is cut.
class sheet {
public:
  void add(std::string_view name, cell value) { lines_.emplace_back(name, std::move(value)); }

  /// As `add`, unless the value is empty.
  void add_if_any(std::string_view name, cell value);

  std::string draw(const look& l) const;

private:
  std::vector<std::pair<std::string, cell>> lines_;
};

/// `text`, escaped, in the colour of its tone where there are colours.
std::string painted(const cell& c, const look& l);

/// `12,345`
std::string grouped(std::int64_t number);

/// `512 bytes`, `45.8 KiB`, `1.2 GiB`
std::string size_text(std::int64_t bytes);

/// `1 key`, `12,345 keys`
std::string counted(std::int64_t count, std::string_view what);

} // namespace troupe::cli
