#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// docs/api/openapi.json, and whether answers are as it says. Knows of JSON Schema what that
/// document uses; a word that it does not know is a fault too, so that nothing passes unseen.
class api_schema {
public:
  api_schema();

  const nlohmann::json& document() const { return document_; }

  /// What is wrong with `body` as the answer of `status` to `method` on the path of `pattern`;
  /// empty: nothing.
  std::string fault_of_answer(std::string_view pattern, std::string_view method, int status,
                              std::string_view body) const;

  /// What is wrong with `value` as the component `name`.
  std::string fault_of(std::string_view name, std::string_view value) const;

private:
  std::string check(const nlohmann::json& schema, const nlohmann::json& value,
                    const std::string& path) const;
  std::string check_object(const nlohmann::json& schema, const nlohmann::json& value,
                           const std::string& path) const;
  const nlohmann::json& resolved(const nlohmann::json& maybe_reference) const;

  nlohmann::json document_;
};

} // namespace troupe
