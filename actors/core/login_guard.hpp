#pragma once

#include "protocol/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace troupe {

/// Slows down whoever guesses credentials. Failures are counted per address; after `free_max`
/// within `window` each further one shuts the address out for a time that doubles from
/// `wait_min` to `wait_max`. While it is shut out nothing is tried, not even what is right:
/// else guessing would go on at full speed. Owned by one thread; time is passed in.
///
/// Of IPv6 the network of 64 bits counts as one address, because everybody has all of it.
class login_guard {
public:
  static constexpr std::size_t addresses_max = 4'096; ///< beyond, the oldest are forgotten
  static constexpr std::uint32_t free_max = 5;
  static constexpr duration window = std::chrono::minutes{1};
  static constexpr duration wait_min = std::chrono::seconds{1};
  static constexpr duration wait_max = std::chrono::seconds{60};

  /// How long `address` still has to wait; zero: it may try.
  duration wait(std::string_view address, time_point now) const;

  void failed(std::string_view address, time_point now);
  void succeeded(std::string_view address);

  std::size_t size() const { return by_address_.size(); }

private:
  struct record {
    std::string address;
    std::uint32_t failures = 0;
    time_point began{}; ///< of the window in which they are counted
    time_point until{}; ///< it is shut out until then
  };

  std::list<record> records_; ///< the one that failed last in front
  std::unordered_map<std::string, std::list<record>::iterator> by_address_;
};

/// What `login_guard` counts by: IPv4 as it is, also where it is written as IPv6; the first 64
/// bits of IPv6; any other text as it is.
std::string guarded_address(std::string_view address);

} // namespace troupe
