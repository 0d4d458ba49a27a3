#pragma once
#include <expected>
#include <string>
#include <optional>
#include "shared/kafka/client_settings.h"
#include "shared/runtime/ids.h"
namespace millrace::kafka { struct RedriveCount { std::uint64_t sent = 0, skipped = 0; }; inline std::expected<RedriveCount, std::string> redrive(const ClientSettings&, const std::string&, const std::optional<JobId>&) { return RedriveCount{}; } }
