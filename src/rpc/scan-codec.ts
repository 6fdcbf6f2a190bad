/** Scans of key ranges, as bytes: the requests, and the pages of the answers. */
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { isDamage } from '../register/damage.ts'
import type { Holding } from '../register/messages.ts'
import { type HeldEntry, LEAF_COUNT, type ScanRange } from './messages.ts'
import { readKeyAhead, readName } from './name-codec.ts'
import { readDamage, readRecord, writeDamage, writeRecord } from './record-codec.ts'
import {
  decodeWith,
  encodeWith,
  enter,
  leave,
  type Reader,
  readInteger,
  readString,
  refuse,
  skip,
  writeInteger,
  writeString,
} from './wire.ts'

export function encodeScanRange(range: ScanRange): Buffer {
  return encodeWith((writer) => {
    writeString(writer, 10, range.start)
    writeString(writer, 18, range.end)
    if (range.omitValues) writer.uint32(24).bool(true)
    if (range.removableOnly) writer.uint32(32).bool(true)
    if (range.leaves !== undefined) writer.uint32(42).bytes(bitsOf(range.leaves))
    if (range.recipient !== undefined) {
      writeString(writer, 50, range.recipient.clusterId)
      writeInteger(writer, 56, range.recipient.epoch)
      writeString(writer, 66, range.recipient.nodeId)
    }
    writeInteger(writer, 72, range.limit ?? 0)
    if (range.damagedOnly) writer.uint32(80).bool(true)
  })
}

/** @throws {WireError} */
export function decodeScanRange(bytes: Uint8Array): ScanRange {
  return decodeWith(bytes, 'a scan range', (reader) => {
    let start = ''
    let end = ''
    let omitValues = false
    let removableOnly = false
    let leaves: ReadonlySet<number> | undefined
    let limit = 0
    let damagedOnly = false
    let clusterId = ''
    let epoch = 0
    let nodeId = ''
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === 10) start = readString(reader)
      else if (tag === 18) end = readString(reader)
      else if (tag === 24) omitValues = reader.bool()
      else if (tag === 32) removableOnly = reader.bool()
      else if (tag === 42) leaves = leavesIn(reader.bytes())
      else if (tag === 50) clusterId = readName(reader)
      else if (tag === 72) limit = readInteger(reader)
      else if (tag === 80) damagedOnly = reader.bool()
      else if (tag === 56) epoch = readInteger(reader)
      else if (tag === 66) nodeId = readName(reader)
      else skip(reader, tag)
    }
    if (removableOnly && leaves !== undefined)
      refuse('it asks both for some leaves and for what is removable')
    const recipient = nodeId === '' ? undefined : { clusterId, epoch, nodeId }
    return {
      start,
      end,
      omitValues,
      removableOnly,
      leaves,
      damagedOnly,
      limit: limit === 0 ? undefined : limit,
      recipient,
    }
  })
}

function bitsOf(leaves: ReadonlySet<number>): Uint8Array {
  const bits = new Uint8Array(LEAF_COUNT / 8)
  for (const leaf of leaves) bits[leaf >> 3]! |= 1 << (leaf & 7)
  return bits
}

function leavesIn(bits: Uint8Array): ReadonlySet<number> | undefined {
  if (bits.length === 0) return undefined
  if (bits.length !== LEAF_COUNT / 8) refuse(`it has ${bits.length * 8} bits for ${LEAF_COUNT} leaves`)
  const leaves = new Set<number>()
  for (let leaf = 0; leaf < LEAF_COUNT; leaf += 1) {
    if ((bits[leaf >> 3]! >> (leaf & 7)) & 1) leaves.add(leaf)
  }
  return leaves
}

/**
 * With `omitValues`, a live state looks like a tombstone. The connector knows that it asked for no values.
 */
export function encodeScanPage(entries: readonly HeldEntry[], omitValues: boolean): Buffer {
  return encodeWith((writer) => {
    for (const { key, record } of entries) {
      writer.uint32(10).fork()
      writeString(writer, 10, key)
      if (isDamage(record)) writeDamage(writer, 26, record)
      else writeRecord(writer, 18, { key, record }, { omitValue: omitValues })
      writer.ldelim()
    }
  })
}

/** @throws {WireError} */
export function decodeScanPage(bytes: Uint8Array): readonly HeldEntry[] {
  return decodeWith(bytes, 'a scan page', (reader) => {
    const entries: HeldEntry[] = []
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === 10) entries.push(readScanEntry(reader))
      else skip(reader, tag)
    }
    return entries
  })
}

function readScanEntry(reader: Reader): HeldEntry {
  const outerEnd = enter(reader)
  const key = readKeyAhead(reader)
  let record: Holding = EMPTY_RECORD
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 18) record = readRecord(reader, key)
    else if (tag === 26) record = readDamage(reader)
    else skip(reader, tag)
  }
  leave(reader, outerEnd)
  if (key === '') refuse('an entry has no key')
  if (record === EMPTY_RECORD) refuse('an entry has no record')
  return { key, record }
}
