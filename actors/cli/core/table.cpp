#include "actors/cli/core/table.hpp"

#include "actors/cli/core/display.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace troupe::cli {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t shrunk_min = 6; ///< a narrower column tells nothing any more

std::string_view colour_of(tone how) {
  switch (how) {
  case tone::plain:
    return {};
  case tone::good:
    return "\x1b[32m";
  case tone::worth_a_look:
    return "\x1b[33m";
  case tone::bad:
    return "\x1b[31m";
  case tone::faint:
    return "\x1b[2m";
  }
  return {};
}

std::string coloured(std::string text, tone how, const look& l) {
  const auto colour = colour_of(how);
  if (!l.colours || colour.empty() || text.empty())
    return text;
  return std::string{colour} + text + "\x1b[0m";
}

/// Takes from the widest column that may shrink until all fit.
void shrink(std::vector<std::size_t>& widths, const std::vector<column>& columns,
            std::size_t room) {
  auto used = std::accumulate(widths.begin(), widths.end(), (widths.size() - 1) * gap);
  while (used > room) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (columns[i].shrinks && widths[i] > shrunk_min
          && (widest == widths.size() || widths[i] > widths[widest]))
        widest = i;
    if (widest == widths.size())
      return;
    --widths[widest];
    --used;
  }
}

} // namespace

void table::add(std::vector<cell> row) {
  row.resize(columns_.size());
  rows_.push_back(std::move(row));
}

std::string table::draw(const look& l) const {
  std::vector<std::vector<cell>> lines;
  lines.emplace_back();
  for (const auto& c : columns_)
    lines.back().emplace_back(c.title, tone::faint);
  std::vector<std::size_t> widths(columns_.size());
  for (const auto& row : rows_) {
    lines.push_back(row);
    for (auto& c : lines.back())
      c.text = shown(c.text);
  }
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], width_of(line[i].text));
  if (l.columns > 0 && !widths.empty())
    shrink(widths, columns_, l.columns);

  std::string out;
  for (const auto& line : lines) {
    std::size_t at = 0; // column of the terminal
    std::size_t owed = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      auto room = widths[i];
      if (l.columns > 0)
        room = std::min(room, l.columns > at + owed ? l.columns - at - owed : 0);
      auto text = cut_to(line[i].text, room);
      const auto width = width_of(text);
      const auto before = columns_[i].right ? room - width : 0;
      if (width > 0) {
        out.append(owed + before, ' ');
        at += owed + before + width;
        out += coloured(std::move(text), line[i].how, l);
        owed = widths[i] - before - width + gap;
      } else {
        owed += widths[i] + gap; // so no line ends with blanks
      }
    }
    out += '\n';
  }
  return out;
}

void sheet::add_if_any(std::string_view name, cell value) {
  if (!value.text.empty())
    add(name, std::move(value));
}

std::string sheet::draw(const look& l) const {
  std::size_t widest = 0;
  for (const auto& [name, value] : lines_)
    widest = std::max(widest, width_of(shown(name)));
  std::string out;
  for (const auto& [name, value] : lines_) {
    const auto title = shown(name);
    out += coloured(title, tone::faint, l);
    if (!value.text.empty())
      out += std::string(widest - width_of(title) + gap, ' ') + painted(value, l);
    out += '\n';
  }
  return out;
}

std::string painted(const cell& c, const look& l) {
  return coloured(shown(c.text), c.how, l);
}

std::string grouped(std::int64_t number) {
  auto out = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (auto at = out.size(); at > first + 3;)
    out.insert(at -= 3, 1, ',');
  return out;
}

std::string size_text(std::int64_t bytes) {
  constexpr std::array<std::string_view, 4> units{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024)
    return counted(bytes, "byte");
  auto tenths = bytes * 10 / 1024; // a size that overflows this fits on no disk
  std::size_t unit = 0;
  for (; tenths >= 10 * 1024 && unit + 1 < units.size(); ++unit)
    tenths /= 1024;
  return grouped(tenths / 10) + '.' + std::to_string(tenths % 10) + ' ' + std::string{units[unit]};
}

std::string counted(std::int64_t count, std::string_view what) {
  return grouped(count) + ' ' + std::string{what} + (count == 1 ? "" : "s");
}

} // namespace troupe::cli
