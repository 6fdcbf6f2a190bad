/**
 * The file of a backup, format 2 (docs/backup-format.md). It has lines of JSON: a header, one line for each
 * group in the order of the ids' UTF-8 bytes, each followed by one line for each of its members, and an end.
 * Format 1 had no members. Every line but the last ends with the CRC-32 of the
 * text before it in the line. The last line has the SHA-256 of everything before that digest in the file. So
 * a byte that was changed or lost is always noticed.
 */
import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Group } from '../../group/group.ts'
import type { StoredMember } from '../api-client.ts'

export const BACKUP_FORMAT = 'cohort-backup'
/** The version that is written. */
export const BACKUP_FORMAT_VERSION = 2
/** The versions that can be read. */
export const READABLE_VERSIONS: readonly unknown[] = [1, 2]

/**
 * The longest line that is read, in bytes. The longest line that is written, for the largest group, has a
 * third of that.
 */
export const LINE_BYTES_MAX = 256 * 1_024

/**
 * Where and when the backup was made. Times are ISO 8601 in UTC with milliseconds, by the clock of the
 * machine that made the backup.
 */
export type BackupHeader = Readonly<{
  format: typeof BACKUP_FORMAT
  formatVersion: number
  clusterId: string
  epoch: number
  startedAt: string
  /** The program and its version. */
  writtenBy: string
  /** For people who open the file: what the backup guarantees. */
  consistency: string
}>

/** `count`: groups; `memberCount`: members of them. */
export type BackupEnd = Readonly<{ count: number; memberCount: number; finishedAt: string }>

export const CONSISTENCY =
  'Each group is as it was chosen at some moment between startedAt and finishedAt, not all at the same moment; a group that was created or deleted in between may be here or not.'

/** The length of `,"crc32":"0a1b2c3d"}`, the end of every line but the last, without its line feed. */
export const CRC_SUFFIX_LENGTH = 20
export const END_LINE =
  /^(\{"count":(\d{1,15}),(?:"members":(\d{1,15}),)?"finishedAt":"([^"\\]{1,40})","sha256":")([0-9a-f]{64})"\}$/

/**
 * Makes the lines of one file. Call it in this order: one header, the groups, each followed by its
 * members, one end. It counts them and computes the digest.
 */
export class BackupWriter {
  readonly #hash: Hash = createHash('sha256')
  #count = 0
  #memberCount = 0

  get count(): number {
    return this.#count
  }

  get memberCount(): number {
    return this.#memberCount
  }

  header(header: Pick<BackupHeader, 'clusterId' | 'epoch' | 'startedAt' | 'writtenBy'>): Buffer {
    const { clusterId, epoch, startedAt, writtenBy } = header
    const whole: BackupHeader = {
      format: BACKUP_FORMAT,
      formatVersion: BACKUP_FORMAT_VERSION,
      clusterId,
      epoch,
      startedAt,
      writtenBy,
      consistency: CONSISTENCY,
    }
    return this.#line(whole)
  }

  group(group: Group): Buffer {
    this.#count += 1
    return this.#line(group)
  }

  /** A member of the group that was written last, in the order of the ids. */
  member(member: StoredMember): Buffer {
    this.#memberCount += 1
    return this.#line(member)
  }

  end(finishedAt: string): Buffer {
    const start = `{"count":${this.#count},"members":${this.#memberCount},"finishedAt":"${finishedAt}","sha256":"`
    return Buffer.from(`${start}${this.#hash.update(start).digest('hex')}"}\n`)
  }

  #line(value: object): Buffer {
    // Without the closing brace, so that the checksum becomes one more member of the object.
    const content = JSON.stringify(value).slice(0, -1)
    const line = Buffer.from(`${content},"crc32":"${checksumOf(content)}"}\n`)
    this.#hash.update(line)
    return line
  }
}

/** CRC-32 as in zlib and PNG, in eight lower-case hexadecimal digits. */
export function checksumOf(content: string | Buffer): string {
  return crc32(content).toString(16).padStart(8, '0')
}
