#pragma once

#include "sandbox/json.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

/// The models that the sandbox offers without being told.

struct model_facts {
  std::string_view name;
  std::string_view display;
  bool thinks;
  bool draws;  ///< answers with images
  bool speaks; ///< answers with sound
};

const std::vector<model_facts>& gemini_models();

/// What is known of a model; for a name of the operator's, plausible facts.
model_facts facts_of(std::string_view name);

bool is_gemini_model(std::string_view name);

/// Major and minor generation: (2, 5) for "gemini-2.5-flash".
struct generation {
  int major = 2;
  int minor = 0;
  friend auto operator<=>(const generation&, const generation&) = default;
};
generation generation_of(std::string_view model);

/// The Model resource of the Gemini API.
json model_resource(std::string_view name);

} // namespace sandbox
