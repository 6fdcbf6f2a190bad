import { isWithinBounds, type Request } from '../register/messages.ts'

/**
 * The limits of the contract between connectors and nodes (`proto/cohort/v1/node.proto` names them). A node
 * ends a stream that exceeds one. Connectors stay far below each.
 */

/** Requests in one batch. */
export const REQUESTS_PER_BATCH_MAX = 1_024

/**
 * Bytes of a value. The largest group has a tenth of that. Sixteen such values would fit into one message.
 */
export const VALUE_BYTES_MAX = 1024 * 1024

/** Records in one page of a scan. */
export const SCAN_PAGE_RECORDS_MAX = 512

/** The highest epoch. A cluster whose membership changes each second needs 8 million years for it. */
export const EPOCH_MAX = 2 ** 48

/** Length of a node id, a cluster id or an address in a membership, in UTF-16 units. */
export const NAME_LENGTH_MAX = 512

/**
 * Whether nodes take a request. They refuse others as malformed and end the stream, so connectors never send
 * them.
 */
export function isWithinLimits(request: Request): boolean {
  if (!isWithinBounds(request)) return false
  return !('state' in request) || (request.state.value?.byteLength ?? 0) <= VALUE_BYTES_MAX
}
