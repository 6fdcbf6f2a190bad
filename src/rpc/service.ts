import type { MethodDefinition } from '@grpc/grpc-js'
import {
  decodeChangesAnswer,
  decodeChangesRequest,
  encodeChangesAnswer,
  encodeChangesRequest,
} from './changes-codec.ts'
import { decodeDescription, encodeDescription } from './description-codec.ts'
import {
  decodeDigestAnswer,
  decodeDigestRequest,
  encodeDigestAnswer,
  encodeDigestRequest,
} from './digest-codec.ts'
import type {
  ChangesAnswer,
  ChangesRequest,
  Description,
  DigestAnswer,
  DigestRequest,
  HeldEntry,
  ScanRange,
} from './messages.ts'

import { decodeScanPage, decodeScanRange, encodeScanPage, encodeScanRange } from './scan-codec.ts'

/** The full name of the service, as health checks and reflection use it. */
export const SERVICE_NAME = 'cohort.v1.Node'

/** One page of a scan, and how it is written. `omitValues` is meaningless on the receiving side. */
export type ScanPage = Readonly<{ entries: readonly HeldEntry[]; omitValues: boolean }>

/** `DescribeRequest` has no fields. */
export type DescribeRequest = Readonly<Record<never, never>>

/**
 * `cohort.v1.Node` for `@grpc/grpc-js`, client and server.
 *
 * `Exchange` has bytes here, for two reasons. An answer is written and read together with its requests. And a
 * stream of malformed bytes ends with INVALID_ARGUMENT and the reason; grpc-js alone would say INTERNAL.
 */
export const nodeService = {
  exchange: {
    path: `/${SERVICE_NAME}/Exchange`,
    requestStream: true,
    responseStream: true,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  } satisfies MethodDefinition<Buffer, Buffer>,
  describe: {
    path: `/${SERVICE_NAME}/Describe`,
    requestStream: false,
    responseStream: false,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: () => ({}),
    responseSerialize: encodeDescription,
    responseDeserialize: decodeDescription,
  } satisfies MethodDefinition<DescribeRequest, Description>,
  digest: {
    path: `/${SERVICE_NAME}/Digest`,
    requestStream: false,
    responseStream: false,
    requestSerialize: encodeDigestRequest,
    requestDeserialize: decodeDigestRequest,
    responseSerialize: encodeDigestAnswer,
    responseDeserialize: decodeDigestAnswer,
  } satisfies MethodDefinition<DigestRequest, DigestAnswer>,
  changes: {
    path: `/${SERVICE_NAME}/Changes`,
    requestStream: false,
    responseStream: false,
    requestSerialize: encodeChangesRequest,
    requestDeserialize: decodeChangesRequest,
    responseSerialize: encodeChangesAnswer,
    responseDeserialize: decodeChangesAnswer,
  } satisfies MethodDefinition<ChangesRequest, ChangesAnswer>,
  scan: {
    path: `/${SERVICE_NAME}/Scan`,
    requestStream: false,
    responseStream: true,
    requestSerialize: encodeScanRange,
    requestDeserialize: decodeScanRange,
    responseSerialize: ({ entries, omitValues }: ScanPage) => encodeScanPage(entries, omitValues),
    responseDeserialize: (bytes: Buffer) => ({ entries: decodeScanPage(bytes), omitValues: false }),
  } satisfies MethodDefinition<ScanRange, ScanPage>,
}

function asIs(bytes: Buffer): Buffer {
  return bytes
}
