#pragma once

#include "protocol/gemini/model_name.hpp"
#include "protocol/json/writer.hpp"
#include "protocol/translation_options.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

/// JSON Schemas of tools and answers, as Gemini takes them: rules J1 to J16 of
/// docs/protocol/mapping.md.
///
/// Gemini has two fields for a schema. The *subset* (`parameters`, `responseSchema`) is a
/// part of OpenAPI's, accepted by every model; the *JSON Schema form* keeps references and
/// maps, but only models from 2.5 on know it. Conversion begins with the subset and, in
/// automatic mode, starts over in the other form when it meets what the subset cannot hold.
///
/// A small schema can be written so that its expansion is astronomically large. Every
/// conversion therefore spends from a budget, and ends with `too_large` when it is used up.

namespace troupe::openai {

/// What all schemas of one request may cost together.
struct schema_budget {
  std::size_t nodes = 100'000;   ///< schemas written
  std::size_t steps = 4'000'000; ///< members looked at while references are resolved
  std::size_t bytes = 8 << 20;   ///< written
};

struct schema_target {
  json::plain_key subset;      ///< the member in which the subset goes
  json::plain_key json_schema; ///< and the one for the JSON Schema form
  bool optional = false;       ///< leave out an object without properties (F2)
  schema_mode mode = schema_mode::automatic;
  gemini::generation made{};
};

enum class schema_result : std::uint8_t { written, left_out, too_large };

/// Owned by one thread; keeps its working memory from schema to schema.
class schema_writer {
public:
  schema_writer();
  ~schema_writer();

  /// Writes `root`, an object, as a member into the object that `out` has open. Unless the
  /// result is `written`, `out` is as it was.
  schema_result write(json::writer& out, const simdjson::dom::element& root,
                      const schema_target& target, schema_budget& budget);

private:
  class state;
  std::unique_ptr<state> state_;
};

} // namespace troupe::openai
