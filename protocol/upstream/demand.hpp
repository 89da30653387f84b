#pragma once

#include "protocol/translation_options.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

/// What a request will use of an upstream's allowance, read from the body that is about to be
/// sent, in one pass and without a tree. It is a guess on the high side: what is reserved too
/// much comes back when the call is settled, what is reserved too little may be over a limit.

namespace troupe::upstream {

struct token_demand {
  std::uint64_t input = 0;
  std::uint64_t output = 0;

  friend bool operator==(const token_demand&, const token_demand&) = default;
};

constexpr std::uint64_t message_tokens = 8;   ///< what frames one message
constexpr std::uint64_t media_tokens = 1'300; ///< of an image, a file or a sound, at least

/// input: a token for three bytes of text (names, numbers and escapes as they are written), 8 for
/// each message, and for each piece of media 1,300 and one for each KiB of its base64.
///
/// output: what the body allows, times the answers it asks for; `output_assumed` instead of what
/// it does not say.
token_demand demand_of(upstream_kind kind, std::string_view upstream_body,
                       std::uint64_t output_assumed);

constexpr std::size_t prefix_bytes = 4'096;

/// A hash of the first 4,096 bytes of what a prompt cache can share: the system's words, then
/// tools, then the messages from the first on, wherever they stand in the body. Later turns of a
/// conversation only add to the end of that, so they have the same hash. It is the same on every
/// machine and after a restart, and never 0; 0 means that there is less than that to share.
std::uint64_t prefix_hash(std::string_view upstream_body);

} // namespace troupe::upstream
