/**
 * Bounds of the contract between connectors and nodes (`proto/cohort/v1/node.proto` names them). A node ends
 * a stream that exceeds one. What connectors send stays far below each.
 */

/** Requests in one batch. */
export const REQUESTS_PER_BATCH_MAX = 1_024

/** Bytes of a value. A group is a tenth of it. Sixteen such values would fit into one message. */
export const VALUE_BYTES_MAX = 1024 * 1024

/** Length of a node id, a cluster id or an address in a membership, in UTF-16 units. */
export const NAME_LENGTH_MAX = 512
