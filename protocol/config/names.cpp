#include "protocol/config/names.hpp"

#include <algorithm>
#include <array>

namespace troupe::config {

namespace {

constexpr std::size_t name_length_max = 64;

std::size_t edits_between(std::string_view a, std::string_view b) {
  // Three rows of the usual table: the swap of neighbours looks two rows back.
  using row = std::array<std::size_t, name_length_max + 1>;
  row before{}, previous{}, current{};
  for (std::size_t j = 0; j <= b.size(); ++j)
    previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        current[j] = std::min(current[j], before[j - 2] + 1);
    }
    before = previous;
    previous = current;
  }
  return previous[b.size()];
}

} // namespace

std::string_view nearest_name(std::string_view given, std::span<const std::string_view> known) {
  if (given.empty() || given.size() > name_length_max)
    return {};
  const auto wanted = lower(given);
  std::string_view best;
  auto best_edits = std::max<std::size_t>(1, given.size() / 3) + 1;
  for (const auto name : known) {
    if (name.size() > name_length_max)
      continue;
    const auto edits = edits_between(wanted, lower(name));
    if (edits < best_edits) {
      best_edits = edits;
      best = name;
    }
  }
  return best;
}

std::string printable_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
  };
  // Digits and dashes make keys, not options: at most two of them are shown.
  const auto unusual = std::count_if(name.begin(), name.end(), [&](char c) { return !plain(c); });
  const auto harmless = [&](char c) { return plain(c) || c == '-' || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > 40 || unusual > 2 || name.starts_with("AIza")
      || name.starts_with("sk-") || !std::all_of(name.begin(), name.end(), harmless))
    return "a name";
  return '"' + std::string{name} + '"';
}

std::string shown_model(std::string_view name) {
  constexpr std::size_t run_max = 16;
  std::size_t run = 0;
  bool harmless = !name.empty() && name.size() <= name_length_max && !name.starts_with("sk-");
  for (const char c : name) {
    const bool parts = std::string_view{"-._/:@*"}.find(c) != std::string_view::npos;
    run = parts ? 0 : run + 1;
    harmless =
        harmless && run <= run_max && (parts || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'));
  }
  return harmless ? '"' + std::string{name} + '"' : "a model";
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return out;
}

} // namespace troupe::config
