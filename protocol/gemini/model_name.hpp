#pragma once

#include "protocol/translation_options.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What the name of a model tells: the upstream model, what its suffixes ask for, and the
/// generation and tier that decide which parameters the upstream accepts. Rules N1 to N4 and
/// the T-table of docs/protocol/mapping.md.

namespace troupe::gemini {

struct generation {
  std::uint32_t major = 2;
  std::uint32_t minor = 0;

  friend auto operator<=>(const generation&, const generation&) = default;
};

enum class tier : std::uint8_t { pro, flash, flash_lite };

struct model_name {
  std::string_view upstream; ///< a part of the name that was asked for
  bool search = false;       ///< `-search`: adds the tool `googleSearch`
  bool non_thinking = false; ///< `-non-thinking`: effort `none`
  bool image = false;        ///< `-image`: answers with text and images
  generation made{};
  troupe::gemini::tier tier = tier::pro;

  /// No `systemInstruction`: its texts go before the first user text (M14).
  bool folds_system() const;

  /// Text of the history may hold images as Markdown (P14).
  bool makes_images() const;
};

/// Reads `asked` as a client wrote it. `upstream` is a view into it and may be empty.
model_name parse_model_name(std::string_view asked, const known_models& known);

/// Appends `name` as one segment of a path: whatever is not unreserved is percent-encoded, so
/// that no name can reach another path, a query or a header.
void append_path_segment(std::string& path, std::string_view name);

/// `/v1beta/models/` or Vertex's counterpart.
std::string_view models_path(upstream_kind upstream);

enum class effort : std::uint8_t { none, minimal, low, medium, high, xhigh, max };

std::optional<effort> effort_of(std::string_view name);

/// What goes into `generationConfig.thinkingConfig`; without any of it, the key is not sent.
struct thinking {
  std::optional<std::int32_t> budget;
  std::string_view level; ///< `LOW`..., or empty
  bool include_thoughts = false;

  bool empty() const { return !budget && level.empty() && !include_thoughts; }

  friend bool operator==(const thinking&, const thinking&) = default;
};

/// The T-table (T1 to T3): budgets for generation 2.5, levels from 3 on, never both.
thinking thinking_for(const model_name& model, std::optional<effort> asked, thoughts_policy policy);

} // namespace troupe::gemini
