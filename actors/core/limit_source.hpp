#pragma once

// `limit_source` is part of what is stored, so it lives beside `limit`.
#include "protocol/base/limit.hpp" // IWYU pragma: export
