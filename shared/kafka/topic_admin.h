#pragma once
#include <expected>
#include <string>
#include <vector>
#include "shared/kafka/client_settings.h"
namespace millrace::kafka { inline std::expected<std::vector<std::string>, std::string> create_topics(const ClientSettings&, const std::string&) { return std::vector<std::string>{}; } }
