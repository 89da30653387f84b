#pragma once

#include "protocol/base/result.hpp"
#include "protocol/translation_options.hpp"

#include <string>
#include <string_view>
#include <vector>

/// `/v1/models` from Gemini's `models.list` (docs/protocol/mapping.md X8).

namespace troupe::openai {

/// Reads one page: appends the ids (without `models/`) of models that generate, embed or
/// predict, and returns the token of the next page, empty at the end.
result<std::string> read_model_page(std::string_view body, std::vector<std::string>& ids);

/// Appends the ids of an OpenAI model list. False: `body` is none.
bool read_openai_models(std::string_view body, std::vector<std::string>& ids);

/// The ids a client sees: the real ones without `hidden`, in the upstream's order, then the
/// names with suffixes that `options` derives from them.
std::vector<std::string> offered_models(const std::vector<std::string>& real,
                                        const std::vector<std::string>& hidden,
                                        const translation_options& options);

/// `{"object":"list","data":[...]}`. `created` is 0: the upstream does not tell.
std::string render_model_list(const std::vector<std::string>& ids);
std::string render_model(std::string_view id);

} // namespace troupe::openai
