#pragma once
#include "shared/job_queue.h"
#include "shared/kafka/client_settings.h"
namespace millrace::kafka { class LagSampler { public: LagSampler(const ClientSettings&, std::string, std::string); std::optional<QueueLag> lag(std::string_view, std::string_view) const; }; }
