#pragma once

// Which upstreams may serve a model, under which name: aliases, routes and fallbacks.
//
// An alias renames what the client asked for. A route sends the models of a pattern to some
// upstreams and to keys of some groups; what no route names goes to whatever upstream can serve
// the client's protocol, Gemini first. A fallback is another model, tried when the one before it
// has no key left or its upstream is down. So a request has a list of targets, the best first.

#include "protocol/config/settings.hpp"
#include "protocol/translation_options.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One way to serve a request. The spans live as long as the routing.
struct model_target {
  std::string model; ///< after aliases; empty: as asked
  upstream_kind kind = upstream_kind::gemini;
  std::span<const std::uint32_t> upstreams; ///< their numbers, never empty
  std::span<const std::string> groups;      ///< of keys; empty: all
};

/// A value, made anew with each change of settings.
class routing {
public:
  struct upstream {
    std::string name;
    std::uint32_t number = 0;
    upstream_kind kind = upstream_kind::gemini;
  };

  routing() = default;
  routing(const models_settings& models, const std::vector<upstream>& upstreams);

  /// False: every model goes the same way, so that nobody has to know which one is asked for.
  bool depends_on_model() const { return depends_; }

  /// @param kinds  what can serve the client's protocol, the best first
  std::vector<model_target> targets(std::string_view asked,
                                    std::span<const upstream_kind> kinds) const;

  /// Names that are no models but stand for one, for lists.
  const std::vector<std::string>& aliases() const { return alias_names_; }

  bool has(upstream_kind kind) const { return !of_kind(kind).empty(); }

private:
  struct route {
    std::vector<std::string> models;
    upstream_kind kind = upstream_kind::gemini;
    std::vector<std::uint32_t> upstreams; ///< empty: all that speak it
    std::vector<std::string> groups;
  };

  static constexpr std::size_t kinds_count = 4;

  std::string_view real_name(std::string_view asked) const;
  void add_targets(std::string_view model, bool renamed, std::span<const upstream_kind> kinds,
                   std::vector<model_target>& out) const;
  const std::vector<std::uint32_t>& of_kind(upstream_kind kind) const {
    return by_kind_[static_cast<std::size_t>(kind)];
  }

  models_settings models_;
  std::vector<route> routes_;
  std::array<std::vector<std::uint32_t>, kinds_count> by_kind_;
  std::vector<std::string> alias_names_;
  bool depends_ = false;
};

} // namespace troupe
