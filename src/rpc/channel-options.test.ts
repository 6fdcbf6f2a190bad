import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENT_OPTIONS, SERVER_OPTIONS } from './channel-options.ts'

const SHARED = {
  'grpc.max_send_message_length': 16_777_216,
  'grpc.max_receive_message_length': 16_777_216,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc-node.flow_control_window': 4_194_304,
  'grpc.enable_channelz': 0,
}

test('a node bounds messages and streams, and notices a connection that is dead', () => {
  assert.deepEqual(SERVER_OPTIONS, { ...SHARED, 'grpc.max_concurrent_streams': 1_000 })
})

test('a connector does the same, comes back within a second, and repeats nothing by itself', () => {
  assert.deepEqual(CLIENT_OPTIONS, {
    ...SHARED,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.dns_min_time_between_resolutions_ms': 1_000,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
  })
})
