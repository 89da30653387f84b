#pragma once

#include "protocol/config/document.hpp"
#include "protocol/config/settings.hpp"

/// What of the database layer nobody is shown: values of headers, and users and passwords of
/// proxies.

namespace troupe::config {

/// Values of headers become `***`, proxies `http://***@host:3128`.
void mask_secrets(node& document);

/// What is masked means what is in force now: a header of the upstream of that name, a proxy at
/// that host. Where there is none, or several that a mask may mean, this is a problem: a mask is
/// never taken for a value.
void unmask_secrets(node& document, const settings& now, config_problems& problems);

} // namespace troupe::config
