#pragma once
#include <cstdint>
#include <string_view>

namespace millrace::kafka {

/// The hash by which Kafka's Java client and our producer place keys: MurmurHash2, 32 bits, little
/// endian, seed 0x9747b28c (org.apache.kafka.common.utils.Utils.murmur2).
std::uint32_t murmur2(std::string_view bytes);

/// The partition a key goes to, of `partitions` > 0 in its topic.
int murmur2_partition(std::string_view key, int partitions);

}  // namespace millrace::kafka
