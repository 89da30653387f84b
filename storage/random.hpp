#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe::storage {

/// `bytes` random bytes from OpenSSL's generator as lower-case hex. Ends the process if the
/// system has no randomness: nothing secret can be made then.
std::string random_hex(std::size_t bytes);

std::uint64_t random_number();

} // namespace troupe::storage
