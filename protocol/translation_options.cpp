#include "protocol/translation_options.hpp"

namespace troupe {

// Names from the Gemini API's model list and its documentation. The list exists for names
// that look like a suffix of ours; the model cache adds what the upstream really offers.
const known_models& built_in_models() {
  static const known_models models{
      "gemini-2.0-flash",
      "gemini-2.0-flash-001",
      "gemini-2.0-flash-lite",
      "gemini-2.0-flash-lite-001",
      "gemini-2.0-flash-preview-image-generation",
      "gemini-2.5-computer-use-preview-10-2025",
      "gemini-2.5-flash",
      "gemini-2.5-flash-image",
      "gemini-2.5-flash-image-preview",
      "gemini-2.5-flash-lite",
      "gemini-2.5-flash-preview-tts",
      "gemini-2.5-pro",
      "gemini-2.5-pro-preview-tts",
      "gemini-3-flash-preview",
      "gemini-3-pro-image",
      "gemini-3-pro-image-preview",
      "gemini-3-pro-preview",
      "gemini-3.1-flash-image",
      "gemini-3.1-flash-image-preview",
      "gemini-3.1-flash-lite",
      "gemini-3.1-flash-lite-image-preview",
      "gemini-3.1-flash-lite-preview",
      "gemini-3.1-pro-preview",
      "gemini-3.1-pro-preview-customtools",
      "gemini-3.5-flash",
      "gemini-3.5-flash-lite",
      "gemini-embedding-001",
      "gemini-flash-latest",
      "gemini-flash-lite-latest",
      "gemini-pro-latest",
      "gemma-3-12b-it",
      "gemma-3-1b-it",
      "gemma-3-27b-it",
      "gemma-3-4b-it",
      "gemma-3n-e2b-it",
      "gemma-3n-e4b-it",
      "gemma-4-26b-a4b-it",
      "gemma-4-31b-it",
      "imagen-4.0-fast-generate-001",
      "imagen-4.0-generate-001",
      "imagen-4.0-ultra-generate-001",
      "nano-banana-pro-preview",
  };
  return models;
}

} // namespace troupe
