#pragma once

#include "actors/inventory/inventory_messages.hpp"
#include "protocol/json/writer.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Pieces that several documents of the admin API have in common.

namespace troupe {

/// An instant, or `null` for 0.
void write_instant(json::writer& w, json::plain_key name, std::int64_t at_ms);

void write_number(json::writer& w, json::plain_key name, std::uint64_t value);

/// A span, or `null` for a negative one: nobody knows, or there is none.
void write_span(json::writer& w, json::plain_key name, std::int64_t ms);

/// A key's id, or `null` for 0.
void write_key_id(json::writer& w, json::plain_key name, std::uint64_t key);

/// `null` for an empty text.
void write_optional(json::writer& w, json::plain_key name, std::string_view text);

void write_texts(json::writer& w, json::plain_key name, const std::vector<std::string>& list);

/// `{"rpm":10,"models":{"gemini-2.5-pro":{"rpm":5}}}`.
void write_limits(json::writer& w, json::plain_key name, const std::vector<storage::limit>& list);

/// `{"layer":"file","source":"troupe.json:12"}`.
void write_origin(json::writer& w, item_origin origin, std::string_view source);

/// What has to be JSON already: `fallback` in place of an empty text.
void write_raw(json::writer& w, json::plain_key name, std::string_view text,
               std::string_view fallback);

} // namespace troupe
