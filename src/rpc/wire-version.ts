/**
 * Which versions of the wire work together. Both ends say theirs before anything is acted on: in the first
 * batch of a stream, in its answer, and in a description.
 */
import { type Reader, readInteger, WireVersionError, type Writer, writeInteger } from './wire.ts'

/**
 * The version that this program speaks: 1 has checksums of states. It is raised by a change after which an
 * older program would misunderstand a message, and not by a new field that may be left out.
 */
const WIRE_VERSION = 1

/** The oldest version that this program understands. 0 is the version of programs that say none. */
const OLDEST_UNDERSTOOD = 0

/** What one end says: the version that it speaks, and the oldest one that it understands. */
export type WireVersions = Readonly<{ speaks: number; understands: number }>

export const OWN_VERSIONS: WireVersions = { speaks: WIRE_VERSION, understands: OLDEST_UNDERSTOOD }

/** Writes the versions as two fields with these tags. */
export function writeVersions(
  writer: Writer,
  tags: readonly [number, number],
  { speaks, understands } = OWN_VERSIONS,
): void {
  writeInteger(writer, tags[0], speaks)
  writeInteger(writer, tags[1], understands)
}

/**
 * The versions in two fields of a message, which the reader is at the start of, and at the start of
 * afterwards. They are read before the rest, which may be of a form that this program does not know.
 *
 * @throws {WireVersionError}
 */
export function assertUnderstood(reader: Reader, tags: readonly [number, number], sender: string): void {
  const start = reader.pos
  let speaks = 0
  let understands = 0
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === tags[0]) speaks = readInteger(reader)
    else if (tag === tags[1]) understands = readInteger(reader)
    else reader.skipType(tag & 7)
  }
  reader.pos = start
  if (speaks >= OLDEST_UNDERSTOOD && understands <= WIRE_VERSION) return
  throw new WireVersionError(
    `the ${sender} speaks version ${speaks} of the wire and understands none below ${understands}, but this program ` +
      `speaks version ${WIRE_VERSION} and understands none below ${OLDEST_UNDERSTOOD}: upgrade the older of the two`,
  )
}
