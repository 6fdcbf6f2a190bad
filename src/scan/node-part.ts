/** What single nodes have sent of a scan, and up to which key these parts together are complete. */

import { isDamage } from '../register/damage.ts'
import { compareKeys } from '../rpc/key-order.ts'
import type { HeldEntry, Recipient, ScanRange } from '../rpc/messages.ts'
import type { NodeTransport } from '../rpc/transport.ts'

/** A node that can be scanned. `recipient`: the cluster, epoch and node that must answer. */
export type KeySource = Readonly<{ transport: Pick<NodeTransport, 'scan'>; recipient: Recipient }>

/**
 * What a node has sent of a range, in key order, with the size of its values. `isCut`: the node may hold more
 * keys after the last one.
 */
export type NodePart = Readonly<{ entries: readonly HeldEntry[]; bytes: number; isCut: boolean }>

/** How many bytes of values one node may send. More would only wait in memory. */
const BYTES_MAX = 4 * 1024 * 1024

/**
 * The first records of a range that a node holds: about as many as `limit` (a node that does not know the
 * limit sends whole pages). Rejects when the node is lost, or when `signal` aborts.
 */
export async function collectPart(
  { transport, recipient }: KeySource,
  range: Omit<ScanRange, 'recipient' | 'limit'> & Readonly<{ limit: number }>,
  signal: AbortSignal,
): Promise<NodePart> {
  const entries: HeldEntry[] = []
  let bytes = 0
  for await (const page of transport.scan({ ...range, recipient }, signal)) {
    for (const entry of page) {
      entries.push(entry)
      if (!isDamage(entry.record)) bytes += entry.record.state.value?.byteLength ?? 0
    }
    if (entries.length >= range.limit || bytes >= BYTES_MAX) return { entries, bytes, isCut: true }
  }
  return { entries, bytes, isCut: false }
}

/** The entries with keys up to a horizon, and with the horizon itself. `undefined`: all of them. */
export function upTo(entries: readonly HeldEntry[], horizon: string | undefined): readonly HeldEntry[] {
  if (horizon === undefined) return entries
  let end = entries.length
  while (end > 0 && compareKeys(entries[end - 1]!.key, horizon) > 0) end -= 1
  return entries.slice(0, end)
}

/**
 * The last key up to which these parts hold all keys of their nodes: the smallest of the last keys of the
 * parts that are cut. `undefined`: no part is cut, so they hold the whole range.
 */
export function horizonOf(parts: readonly NodePart[]): string | undefined {
  let horizon: string | undefined
  for (const { entries, isCut } of parts) {
    const last = isCut ? entries.at(-1)?.key : undefined
    if (last !== undefined && (horizon === undefined || compareKeys(last, horizon) < 0)) horizon = last
  }
  return horizon
}
