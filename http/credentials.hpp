#pragma once

#include "http/exchange.hpp"

#include <string>

namespace troupe::http {

/// The credential that a request shows: `authorization: Bearer`, `x-api-key`,
/// `x-goog-api-key`, or the query's `key`, whichever comes first in this order and is not
/// empty. An empty text if there is none.
std::string presented_credential(const request& r);

} // namespace troupe::http
