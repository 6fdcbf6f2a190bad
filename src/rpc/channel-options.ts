import type { ChannelOptions } from '@grpc/grpc-js'

/**
 * The largest message that either side sends or takes. The sender must split a batch that would be larger.
 */
export const MESSAGE_BYTES_MAX = 16 * 1024 * 1024

/** How long a connection may be silent before it is tested, and how long the test may take. */
const KEEPALIVE_TIME_MS = 10_000
const KEEPALIVE_TIMEOUT_MS = 5_000

/** How many unread bytes may be on their way in one direction of a connection. */
const FLOW_CONTROL_WINDOW_BYTES = 4 * 1024 * 1024

/** What both sides of the contract agree on. */
const SHARED_OPTIONS: ChannelOptions = {
  'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  'grpc.keepalive_permit_without_calls': 1,
  // With the default of HTTP/2, 64 KB, every few batches need an extra message that allows more bytes.
  'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
  // Its bookkeeping costs time with every message, and is not used.
  'grpc.enable_channelz': 0,
}

/**
 * How many streams of one connection a node keeps at a time. A connector needs a few, and one for each list
 * or backup that its clients walk through at the moment. Further streams of a connector wait.
 */
const STREAMS_MAX = 1_000

export const SERVER_OPTIONS: ChannelOptions = {
  ...SHARED_OPTIONS,
  'grpc.max_concurrent_streams': STREAMS_MAX,
}

export const CLIENT_OPTIONS: ChannelOptions = {
  ...SHARED_OPTIONS,
  // A node that comes back must be used again within two seconds, so each wait is at most one second. The
  // same is true for its address, because a container often comes back with another one.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  // There is no service configuration for nodes in DNS.
  'grpc.service_config_disable_resolution': 1,
  // Rounds decide what is repeated. An accept must reach a node at most once (protocol.md §4.5).
  'grpc.enable_retries': 0,
  // Each transport has its own connection, so that closing one does not affect another to the same address.
  'grpc.use_local_subchannel_pool': 1,
  // Nodes are never behind a web proxy, whatever the environment says.
  'grpc.enable_http_proxy': 0,
}
