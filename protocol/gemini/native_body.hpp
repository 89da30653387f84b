#pragma once

// Private to protocol/gemini.

#include "protocol/client_error.hpp"
#include "protocol/gemini/model_name.hpp"
#include "protocol/gemini/native.hpp"
#include "protocol/json/raw.hpp"
#include "protocol/json/reader.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace troupe::gemini {

/// Merges what the suffixes of a model's name ask for (N3) into the client's body; all other
/// bytes stay as they are. `fault::invalid_json` if the body is not a JSON object.
std::variant<std::string, client_error> apply_suffixes(method what, std::string_view body,
                                                       const model_name& name,
                                                       const translation_options& options);

/// Sets the member `model` of the object at `object`, if it has one that is a string.
void name_model(std::string& body, json::place object, std::string_view upstream);

/// One thread's parser, for the few bodies that must be read at all.
json::reader& native_reader();

} // namespace troupe::gemini
