import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ServerHttp2Stream } from 'node:http2'

/** How long the other end has to end its half of a stream after the answer. */
const PATIENCE_MS = 1_000

/** Node.js publishes each HTTP/2 stream here that a client opens in this process. */
const CREATED = 'http2.server.stream.created'

/**
 * Resets each HTTP/2 stream of this process which is answered, and whose client has not ended its half a
 * second later (RFC 9113 §8.1). grpc-js waits for the client, so that a client which never ends its half
 * could pile up answered streams in the memory of the node. Every method has this fault, so it is mended
 * below grpc-js, which shows its streams to nobody.
 *
 * @returns ends this
 */
export function resetAnsweredStreams(): () => void {
  const watch = (message: unknown): void => {
    const { stream } = message as { stream: ServerHttp2Stream }
    stream.once('finish', () => {
      const timer = setTimeout(() => stream.close(), PATIENCE_MS)
      timer.unref()
      stream.once('close', () => clearTimeout(timer))
    })
  }
  subscribe(CREATED, watch)
  return () => void unsubscribe(CREATED, watch)
}
