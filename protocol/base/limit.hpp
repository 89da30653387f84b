#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// What a limit counts. Stored: values never change.
enum class limit_kind : std::uint8_t {
  rpm = 1,         ///< requests in any 60 s
  tpm = 2,         ///< input and output tokens in any 60 s
  input_tpm = 3,   ///< input tokens in any 60 s
  output_tpm = 4,  ///< output tokens in any 60 s
  rpd = 5,         ///< requests of the upstream's day
  tpd = 6,         ///< tokens of the upstream's day
  concurrency = 7, ///< calls at one time
};

/// `rpm`, `input_tpm`, ...
std::string_view to_string(limit_kind kind);

/// Who says that a limit exists. Stored: values never change.
enum class limit_source : std::uint8_t {
  declared,  ///< by the operator
  told,      ///< by the upstream, in a header or an error; enforced unless declared
  estimated, ///< from the rate at which throttling began; shown, never enforced
};

std::string_view to_string(limit_source source); ///< `declared`, `told`, `estimated`

struct limit {
  std::string model; ///< empty: of all models together
  limit_kind kind = limit_kind::rpm;
  std::uint64_t amount = 0;

  friend bool operator==(const limit&, const limit&) = default;
};

} // namespace troupe
