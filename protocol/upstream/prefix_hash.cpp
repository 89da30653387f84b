#include "protocol/upstream/demand.hpp"
#include "protocol/upstream/member_walk.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace troupe::upstream {
namespace {

/// The parts of a body that a cache shares, in the order of what changes least.
enum part : std::size_t { cached, system, tools, messages, part_count };

part part_of(const member_walk& member) {
  struct row {
    std::string_view name;
    part what;
  };
  static constexpr std::array rows{row{"contents", messages},    row{"messages", messages},
                                   row{"input", messages},       row{"systemInstruction", system},
                                   row{"system", system},        row{"system_instruction", system},
                                   row{"instructions", system},  row{"tools", tools},
                                   row{"cachedContent", cached}, row{"cached_content", cached}};
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&member](const row& r) { return member.name() == r.name; });
  return found == rows.end() ? part_count : found->what;
}

/// The elements of a list without its brackets, so that more of them change nothing before.
std::string_view inside(std::string_view value) {
  if (value.size() < 2 || value.front() != '[' || value.back() != ']')
    return value;
  return value.substr(1, value.size() - 2);
}

/// Eight bytes as a number, the same on machines of either byte order.
std::uint64_t number_at(const unsigned char* bytes) {
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i)
    number |= std::uint64_t{bytes[i]} << (8 * i);
  return number;
}

std::uint64_t stirred(std::uint64_t h) {
  h ^= h >> 32;
  h *= 0xD6E8FEB86659FD93;
  h ^= h >> 32;
  return h;
}

} // namespace

std::uint64_t prefix_hash(std::string_view upstream_body) {
  if (upstream_body.size() < prefix_bytes)
    return 0;
  std::array<std::string_view, part_count> parts;
  for (member_walk member{upstream_body}; member.next();)
    if (const auto what = part_of(member); what != part_count)
      parts[what] = inside(member.value().in(upstream_body));

  std::array<unsigned char, prefix_bytes> shared;
  std::size_t size = 0;
  for (const auto text : parts) {
    const auto taken = std::min(text.size(), shared.size() - size);
    if (taken > 0)
      std::memcpy(shared.data() + size, text.data(), taken);
    size += taken;
  }
  if (size < shared.size())
    return 0;
  std::uint64_t hash = prefix_bytes;
  for (std::size_t at = 0; at < shared.size(); at += 8)
    hash = stirred(hash ^ number_at(shared.data() + at));
  return std::max<std::uint64_t>(hash, 1);
}

} // namespace troupe::upstream
