import protobuf from 'protobufjs/minimal.js'

/**
 * The primitives of the codecs, on top of the `Reader` and `Writer` of protobufjs. All integers of the
 * contract are below 2^53, so they are read as JavaScript numbers. The `uint64` of protobufjs would make a
 * `Long` of each.
 *
 * The codecs write and read the messages of `node.proto`. A `tag` is the number of a field * 8 + its wire
 * type (0 varint, 2 length-delimited). Every `decode` function checks everything that the register core
 * asserts, and throws a `WireError` that says what is wrong.
 */

export type Writer = protobuf.Writer
export type Reader = protobuf.Reader

/**
 * The bytes are not a message of the contract. The text says what is wrong. Nothing was done with the bytes.
 */
export class WireError extends Error {
  override name = 'WireError'
}

/** The two ends do not understand each other. The message is a sentence for the operator. */
export class WireVersionError extends WireError {
  override name = 'WireVersionError'
}

export function refuse(reason: string): never {
  throw new WireError(reason)
}

/**
 * Reads one whole message from `bytes`.
 *
 * @throws {WireError} if anything is wrong with it
 */
export function decodeWith<T>(bytes: Uint8Array, name: string, read: (reader: Reader) => T): T {
  try {
    return read(protobuf.Reader.create(bytes))
  } catch (cause) {
    if (cause instanceof WireVersionError) throw cause
    if (cause instanceof Error) {
      throw new WireError(`${name} cannot be read: ${cause.message}`, { cause })
    }
    throw cause
  }
}

/** Writers that are not in use. The buffer of each has grown to the size of a message long ago. */
const idleWriters: Writer[] = []

/** The buffer of a larger message is not kept for the next one. */
const KEPT_BYTES_MAX = 1024 * 1024

/** Writes one whole message. The caller may keep the bytes. */
export function encodeWith(write: (writer: Writer) => void): Buffer {
  // A function that throws while it writes loses the writer. A message within another has a writer of its
  // own.
  const writer = idleWriters.pop() ?? protobuf.Writer.create()
  write(writer)
  const bytes = writer.finish() as Buffer
  if (bytes.length <= KEPT_BYTES_MAX) idleWriters.push(writer.reset())
  return bytes
}

/**
 * Enters a submessage: from now on `reader.len` is its end, so that nothing can be read after it. Returns the
 * outer end. When `reader.pos` has reached `reader.len`, the caller sets it again with `leave`.
 */
export function enter(reader: Reader): number {
  const length = reader.uint32()
  const outerEnd = reader.len
  const end = reader.pos + length
  if (end > outerEnd) refuse(`a part of ${length} bytes is cut off`)
  reader.len = end
  return outerEnd
}

export function leave(reader: Reader, outerEnd: number): void {
  reader.len = outerEnd
}

/** Skips a field that this version does not know. */
export function skip(reader: Reader, tag: number): void {
  reader.skipType(tag & 7)
}

/** Reads a varint of 0 to 2^53 - 1. */
export function readInteger(reader: Reader): number {
  const { buf, len } = reader
  let pos = reader.pos
  // In two halves of at most 28 bits, because 32-bit arithmetic is several times faster than multiplication.
  let low = 0
  for (let shift = 0; shift < 28; shift += 7) {
    if (pos >= len) refuse('an integer is cut off')
    const byte = buf[pos++]!
    low |= (byte & 127) << shift
    if (byte < 128) {
      reader.pos = pos
      return low
    }
  }
  let high = 0
  for (let shift = 0; shift < 28; shift += 7) {
    if (pos >= len) refuse('an integer is cut off')
    const byte = buf[pos++]!
    high |= (byte & 127) << shift
    if (byte < 128) {
      if (high >= HIGH_END) break
      reader.pos = pos
      return high * 2 ** 28 + low
    }
  }
  return refuse('an integer is above 2^53 - 1')
}

const HIGH_END = 2 ** (53 - 28)

/**
 * Writes a field of type uint64. 0 is left out, as proto3 requires. The value must be an integer of 0 to
 * 2^53 - 1.
 */
export function writeInteger(writer: Writer, tag: number, value: number): void {
  if (value === 0) return
  writer.uint32(tag)
  // Both write the same bytes, but the 32-bit path allocates nothing.
  if (value <= 0xffff_ffff) writer.uint32(value)
  else writer.uint64(value)
}

/** Writes a string field. An empty one is left out, as proto3 requires. */
export function writeString(writer: Writer, tag: number, value: string): void {
  if (value !== '') writer.uint32(tag).string(value)
}

/** Reads a string. Bytes that are not UTF-8 are refused, so that two different keys never become equal. */
export function readString(reader: Reader): string {
  const start = reader.pos
  const text = reader.string()
  // Decoding puts U+FFFD in place of invalid bytes. The text can also contain it, so only then verify the
  // bytes.
  if (text.includes('\ufffd')) {
    reader.pos = start
    return reader.stringVerify()
  }
  return text
}

/** Writes a packed field of integers of 0 to 2^53 - 1. */
export function writePacked(writer: Writer, tag: number, integers: readonly number[]): void {
  if (integers.length === 0) return
  writer.uint32(tag).fork()
  for (const integer of integers) writer.uint64(integer)
  writer.ldelim()
}

export function readPacked(reader: Reader, countMax: number): number[] {
  const outerEnd = enter(reader)
  const integers: number[] = []
  while (reader.pos < reader.len) {
    if (integers.length === countMax) refuse(`a list has more than ${countMax} integers`)
    integers.push(readInteger(reader))
  }
  leave(reader, outerEnd)
  return integers
}
