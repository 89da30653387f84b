#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe::storage {

/// `bytes` random bytes from OpenSSL's generator as lower-case hex. Ends the process if the
/// system has no randomness: nothing secret can be made then.
std::string random_hex(std::size_t bytes);

std::uint64_t random_number();

/// Fills `bytes` bytes at `to` from the system's generator.
void fill_random(std::uint8_t* to, std::size_t bytes);

} // namespace troupe::storage
