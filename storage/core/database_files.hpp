#pragma once

// How RocksDB names its files: `000012.sst` a table, `000004.log` a log, `MANIFEST-000003`, and
// `CURRENT`, which holds the name of the MANIFEST that counts.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::storage {

/// The number in a name between `before` and `behind`; nothing for any other name.
inline std::optional<std::uint64_t> file_number(std::string_view name, std::string_view before,
                                                std::string_view behind) {
  if (!name.starts_with(before) || !name.ends_with(behind)
      || name.size() <= before.size() + behind.size())
    return std::nullopt;
  const auto digits = name.substr(before.size(), name.size() - before.size() - behind.size());
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (code != std::errc{} || end != digits.data() + digits.size())
    return std::nullopt;
  return number;
}

inline std::optional<std::uint64_t> table_number(std::string_view name) {
  return file_number(name, "", ".sst");
}
inline bool is_log(std::string_view name) {
  return file_number(name, "", ".log").has_value();
}
inline bool is_manifest(std::string_view name) {
  return file_number(name, "MANIFEST-", "").has_value();
}

/// For words about damage.
inline std::string in_places(std::size_t count) {
  return count == 1 ? "in one place" : "in " + std::to_string(count) + " places";
}

} // namespace troupe::storage
