#pragma once

#include "actors/inventory/answer.hpp"
#include "protocol/base/secret.hpp"
#include "storage/core/key_item.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Judges the fields that keys and credentials have in common, and collects everything that is
/// wrong. Absent fields are right. Texts of problems never repeat a value.
class field_rules {
public:
  void fault(std::string field, std::string_view code, std::string text);

  void text(const std::optional<std::string>& value, const char* field);
  void note(const std::optional<std::string>& value);
  void label(const std::string& value, const std::string& field);
  void labels(const std::optional<std::vector<std::string>>& list, const std::string& field);
  void limits(const std::optional<std::vector<storage::limit>>& list);
  void proxy(const std::optional<secret>& value);

  /// What was collected, under one sentence; nothing if all was right.
  std::optional<refused> verdict(std::string_view sentence);

private:
  void bounded_text(const std::string& value, const char* field, std::size_t most);

  std::vector<field_problem> problems_;
};

} // namespace troupe
