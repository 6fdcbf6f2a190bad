/**
 * Reads the file of a backup and checks every checksum, the order of the groups, their number, and each group
 * against its schema.
 */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { Ajv } from 'ajv'
import { StoredGroup } from '../../api/backup-schemas.ts'
import { StoredGroupMember } from '../../api/member-backup-schemas.ts'
import type { Group } from '../../group/group.ts'
import { AJV_OPTIONS, fieldErrors } from '../../http/validation.ts'
import type { StoredMember } from '../api-client.ts'
import {
  BACKUP_FORMAT,
  BACKUP_FORMAT_VERSION,
  type BackupEnd,
  type BackupHeader,
  CRC_SUFFIX_LENGTH,
  checksumOf,
  END_LINE,
  LINE_BYTES_MAX,
  READABLE_VERSIONS,
} from './backup-format.ts'

/** One line of the file. The header comes first. The end comes last, when the file has no more bytes. */
export type BackupEntry =
  | Readonly<{ kind: 'header'; header: BackupHeader }>
  | Readonly<{ kind: 'group'; group: Group }>
  | Readonly<{ kind: 'member'; member: StoredMember }>
  | Readonly<{ kind: 'end'; end: BackupEnd }>

/**
 * The file is not a whole backup. The message says what is wrong and where. It is printed after
 * `FILE is refused: `.
 */
export class BackupRefusedError extends Error {
  override readonly name = 'BackupRefusedError'
}

/**
 * The entries of a file. The end is yielded when the whole file has been read and is whole. Before that, only
 * single lines are checked: the file may still be cut off, or go on after its end.
 *
 * @throws {BackupRefusedError}
 */
export async function* readBackup(chunks: AsyncIterable<Buffer>): AsyncGenerator<BackupEntry> {
  const reader = new BackupReader()
  let rest: Buffer = EMPTY
  let isFirst = true
  for await (const chunk of chunks) {
    if (isFirst && chunk.subarray(0, 2).equals(GZIP))
      reader.refuse('it is compressed: unpack it first (gunzip)')
    isFirst = false
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      const entry = reader.take(bytes.subarray(start, end))
      if (entry !== undefined) yield entry
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.length > LINE_BYTES_MAX) reader.refuseLong()
  }
  yield reader.finish(rest)
}

const LINE_FEED = 0x0a
const EMPTY = Buffer.alloc(0)
/** How a gzip file begins (RFC 1952 §2.3.1). */
const GZIP = Buffer.of(0x1f, 0x8b)

/** One pass over one file, line by line. */
class BackupReader {
  readonly #hash = createHash('sha256')
  #lineNumber = 0
  #count = 0
  #memberCount = 0
  #version: number = BACKUP_FORMAT_VERSION
  #lastId: Buffer | undefined
  #lastMemberId: Buffer | undefined
  #end: BackupEnd | undefined

  /** The entry of the next line, given without its line feed. `undefined` for the end: see `finish`. */
  take(line: Buffer): BackupEntry | undefined {
    this.#lineNumber += 1
    if (this.#end !== undefined) this.refuse(`it goes on after its end, line ${this.#lineNumber - 1}`)
    const end = this.#lineNumber > 1 ? END_LINE.exec(line.toString('latin1')) : null
    if (end !== null) {
      this.#end = this.#endOf(end)
      return undefined
    }
    const value = this.#checked(line)
    this.#hash.update(line).update('\n')
    if (this.#lineNumber === 1) return { kind: 'header', header: this.#header(value) }
    if (this.#version > 1 && isMember(value)) return { kind: 'member', member: this.#member(value) }
    return { kind: 'group', group: this.#group(value) }
  }

  /** Call it after the last line. `rest` is what follows the last line feed. */
  finish(rest: Buffer): BackupEntry {
    if (this.#end !== undefined) {
      if (rest.length > 0) this.refuse(`it goes on after its end, line ${this.#lineNumber}`)
      return { kind: 'end', end: this.#end }
    }
    if (this.#lineNumber === 0 && rest.length === 0) this.refuse('it is empty')
    if (this.#lineNumber === 0) this.refuse(NO_BACKUP)
    const where = rest.length === 0 ? `after line ${this.#lineNumber}` : `in line ${this.#lineNumber + 1}`
    return this.refuse(`it was cut off ${where}: its end is missing`)
  }

  refuse(reason: string): never {
    throw new BackupRefusedError(reason)
  }

  /** Refuses the file because its next line is too long. That line has not been taken. */
  refuseLong(): never {
    if (this.#lineNumber === 0) this.refuse(NO_BACKUP)
    if (this.#end !== undefined) this.refuse(`it goes on after its end, line ${this.#lineNumber}`)
    this.#lineNumber += 1
    return this.refuseLine('it is longer than any line of a backup')
  }

  refuseLine(reason: string): never {
    return this.refuse(`line ${this.#lineNumber} is damaged: ${reason}`)
  }

  /** The JSON of a line, after its checksum was verified. */
  #checked(line: Buffer): unknown {
    const suffix = SUFFIX.exec(line.subarray(-CRC_SUFFIX_LENGTH).toString('latin1'))
    if (suffix === null)
      return this.#lineNumber === 1 ? this.refuse(NO_BACKUP) : this.refuseLine('it has no checksum')
    const content = line.subarray(0, -CRC_SUFFIX_LENGTH)
    if (checksumOf(content) !== suffix[1]) this.refuseLine('its checksum is wrong')
    if (!isUtf8(content)) this.refuseLine('it is not UTF-8')
    try {
      return JSON.parse(`${content}}`)
    } catch {
      return this.refuseLine('it is not JSON')
    }
  }

  #header(value: unknown): BackupHeader {
    const header = value as Partial<BackupHeader> & { formatVersion?: unknown }
    if (header?.format !== BACKUP_FORMAT) this.refuse(NO_BACKUP)
    if (!READABLE_VERSIONS.includes(header.formatVersion)) {
      this.refuse(
        `it has format version ${header.formatVersion}, and this program (${BACKUP_FORMAT_VERSION}) cannot read it: ` +
          `use the version that wrote it (${header.writtenBy})`,
      )
    }
    this.#version = header.formatVersion as number
    return header as BackupHeader
  }

  #group(value: unknown): Group {
    if (!isStoredGroup(value)) {
      const [error] = fieldErrors(isStoredGroup.errors ?? [])
      return this.refuseLine(`${error?.field} ${error?.message}`)
    }
    const id = Buffer.from(value.groupId)
    if (this.#lastId !== undefined && Buffer.compare(this.#lastId, id) >= 0) {
      this.refuseLine('its group is not in the order of the ids')
    }
    this.#lastId = id
    this.#lastMemberId = undefined
    this.#count += 1
    return value as Group
  }

  #member(value: object): StoredMember {
    if (!isStoredMember(value)) {
      const [error] = fieldErrors(isStoredMember.errors ?? [])
      return this.refuseLine(`${error?.field} ${error?.message}`)
    }
    if (this.#lastId === undefined || !this.#lastId.equals(Buffer.from(value.groupId)))
      this.refuseLine('its member is not of the group before it')
    const id = Buffer.from(value.memberId)
    if (this.#lastMemberId !== undefined && Buffer.compare(this.#lastMemberId, id) >= 0)
      this.refuseLine('its member is not in the order of the ids')
    this.#lastMemberId = id
    this.#memberCount += 1
    return value as StoredMember
  }

  #endOf([, start = '', count, members, finishedAt = '', digest]: readonly (
    | string
    | undefined
  )[]): BackupEnd {
    if (this.#hash.update(start, 'latin1').digest('hex') !== digest) {
      this.refuse('its SHA-256 is wrong: lines were changed, or are missing')
    }
    if (Number(count) !== this.#count) this.refuse(`it has ${this.#count} groups, but its end says ${count}`)
    const memberCount = this.#memberCount
    if (this.#version > 1 && Number(members) !== memberCount)
      this.refuse(`it has ${memberCount} members, but its end says ${members ?? 'nothing of them'}`)
    return { count: this.#count, memberCount, finishedAt }
  }
}

const NO_BACKUP = 'it does not begin like a backup of cohort'
const SUFFIX = /^,"crc32":"([0-9a-f]{8})"\}$/

/** The same check as in the connector (`src/http/app.ts`). */
const isStoredGroup = new Ajv({ ...AJV_OPTIONS, strict: false }).compile<StoredGroup>(StoredGroup)
const isStoredMember = new Ajv({ ...AJV_OPTIONS, strict: false }).compile<StoredGroupMember>(
  StoredGroupMember,
)

/** Whether a line is one of a member. The line of a group has no such field. */
function isMember(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'memberId' in value
}
