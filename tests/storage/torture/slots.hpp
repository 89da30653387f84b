#pragma once

// What the writer writes and the checker expects. Batch `n` puts the number `n` into the row
// `n % slots` of three columns, and into the one row that says how many batches there are. So
// the last number tells what every row must hold; a batch that is half there shows in its row.

#include "storage/store.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <string>

namespace troupe::storage::torture {

inline constexpr std::uint64_t slots = 150;
inline constexpr std::array columns_written{column::keys, column::credentials, column::statistics};

inline store_options options(const std::string& directory) {
  store_options o;
  o.directory = directory;
  o.block_cache_bytes = 256 * 1024;
  o.write_buffer_bytes = 128 * 1024; // tables are written and merged all the time
  return o;
}

inline std::string row_name(std::uint64_t slot) {
  return "slot" + std::to_string(1'000 + slot);
}

/// Some hundreds of bytes, different for each number.
inline std::string row_value(std::uint64_t number) {
  return std::to_string(number) + '/'
         + std::string(200 + number % 300, static_cast<char>('a' + number % 26));
}

inline write_batch batch_of(std::uint64_t number) {
  write_batch b;
  for (const auto c : columns_written)
    b.put(c, row_name(number % slots), row_value(number));
  b.put(column::settings, "count", std::to_string(number));
  return b;
}

/// How many batches are there; what is wrong with them in `wrong`, which stays empty if
/// nothing is.
inline std::uint64_t check(const store& s, std::string& wrong) {
  std::uint64_t count = 0;
  if (!s.damage().empty())
    wrong = "told as damage: " + s.damage().front();
  const auto last = s.get(column::settings, "count");
  if (!last)
    wrong = last.error().text;
  else if (*last)
    std::from_chars((*last)->data(), (*last)->data() + (*last)->size(), count);
  for (const auto c : columns_written)
    for (std::uint64_t back = 0; back < slots && back < count; ++back) {
      const auto number = count - back;
      const auto row = s.get(c, row_name(number % slots));
      if (!row || !*row || **row != row_value(number))
        wrong = "batch " + std::to_string(number) + " of " + std::to_string(count)
                + " is not whole in " + std::string{to_string(c)};
    }
  return count;
}

} // namespace troupe::storage::torture
