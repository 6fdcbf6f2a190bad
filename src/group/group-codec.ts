import type { CutText } from './cut-text.ts'
import type { Group, Labels, ShownGroup } from './group.ts'
import { lifeOf } from './life.ts'

/** The bytes that a register stores for a group: JSON in UTF-8, which every SQLite tool can show. */
export function encodeGroup(group: Group): Uint8Array {
  return Buffer.from(JSON.stringify(group))
}

/**
 * The group in bytes that `encodeGroup` made.
 *
 * @throws Error for all other bytes. A faulty node can send any.
 */
export function decodeGroup(value: Uint8Array): Group {
  const decoded: unknown = JSON.parse(textOf(value))
  if (!isGroup(decoded)) throw new TypeError('the bytes are not a group')
  return decoded
}

/** How what `encodeGroup` makes begins. */
const BEGINNING = '{"groupId":"'

/** The first of the fields that are always there, and always last. */
const LAST_FIELDS = '"version":'

/**
 * The end of what `encodeGroup` makes. A quote in a text is escaped, so nothing within a field looks like
 * this.
 */
const END =
  /"version":([1-9]\d{0,14}),("incarnation":"([^"\\]*)",(?:"life":"([^"\\]*)",)?(?:"requests":\[[\w.",-]*\],)?)"createdAt":"[^"\\]*","updatedAt":"[^"\\]*"(?:,"updatedBy":"[^"\\]*","requestId":"[^"\\]*")?\}$/y

/**
 * The group in bytes that `encodeGroup` made, as clients get it. The fields are in the same order, so it is
 * cut out of the text, and nothing is parsed.
 *
 * @throws Error for bytes that are no group
 */
export function showStored(value: Uint8Array): ShownGroup {
  const text = textOf(value)
  const [, version, hidden, incarnation] = endOf(text) ?? []
  if (version === undefined || hidden === undefined || incarnation === undefined)
    return showGroup(decodeGroup(value))
  const at = text.lastIndexOf(hidden)
  const json = `${text.slice(0, at)}${text.slice(at + hidden.length)}`
  return { version: Number(version), incarnation, json }
}

/**
 * The group in bytes that `encodeGroup` made, as clients get it: `showStored` for many groups at once.
 * Nothing is copied or decoded.
 *
 * @throws Error for bytes that are no group
 */
export function cutForClients(value: Uint8Array): CutText {
  const bytes = bufferOf(value)
  const hidden = hiddenFieldsOf(bytes)
  if (hidden === undefined) return whole(showGroup(decodeGroup(value)).json)
  return { bytes, start: hidden.start, end: hidden.end }
}

/**
 * The group in bytes that `encodeGroup` made, as a backup has it: without its life and the requests that it
 * remembers, because a restore begins another life. Nothing is copied or decoded.
 *
 * @throws Error for bytes that are no group
 */
export function cutForBackup(value: Uint8Array): CutText {
  const bytes = bufferOf(value)
  const hidden = hiddenFieldsOf(bytes)
  if (hidden === undefined) return whole(JSON.stringify(backedUp(decodeGroup(value))))
  return { bytes, start: hidden.incarnationEnd, end: hidden.end }
}

/** A group as a backup has it. */
export function backedUp({
  life: _life,
  requests: _requests,
  ...group
}: Group): Omit<Group, 'life' | 'requests'> {
  return group
}

/**
 * The life of the group in bytes that `encodeGroup` made, without parsing all of it.
 *
 * @throws Error for bytes that are no group
 */
export function lifeOfStored(value: Uint8Array): string {
  const [, , , incarnation, life] = endOf(textOf(value)) ?? []
  return life ?? incarnation ?? lifeOf(decodeGroup(value))
}

/** The last fields of what `encodeGroup` makes. `undefined`: the text has another form. */
function endOf(text: string): RegExpExecArray | undefined {
  if (!text.startsWith(BEGINNING)) return undefined
  END.lastIndex = text.lastIndexOf(LAST_FIELDS)
  return END.exec(text) ?? undefined
}

/**
 * Where the fields that clients do not see are in the bytes. The first of them is the incarnation.
 * `undefined`: the bytes have another form than what `encodeGroup` makes.
 */
function hiddenFieldsOf(
  bytes: Buffer,
): Readonly<{ start: number; incarnationEnd: number; end: number }> | undefined {
  const lastFieldsAt = bytes.lastIndexOf(LAST_FIELDS)
  if (lastFieldsAt < 0 || bytes.toString('latin1', 0, BEGINNING.length) !== BEGINNING) return undefined
  // In Latin-1 each byte is one character, so a place in this text is a place in the bytes.
  const text = bytes.toString('latin1', lastFieldsAt)
  END.lastIndex = 0
  const [, version, hidden, incarnation] = END.exec(text) ?? []
  if (version === undefined || hidden === undefined || incarnation === undefined) return undefined
  const start = lastFieldsAt + LAST_FIELDS.length + version.length + 1
  const incarnationEnd = start + '"incarnation":"",'.length + incarnation.length
  return { start, incarnationEnd, end: start + hidden.length }
}

function whole(text: string): CutText {
  return { bytes: Buffer.from(text), start: 0, end: 0 }
}

/** A group as clients get it. */
export function showGroup(group: Group): ShownGroup {
  const { groupId, description, labels, version, incarnation, ...rest } = group
  const { createdAt, updatedAt, updatedBy, requestId } = rest
  const times = { createdAt, updatedAt, updatedBy, requestId }
  const json = JSON.stringify({ groupId, description, labels, version, ...times })
  return { version, incarnation, json }
}

function textOf(value: Uint8Array): string {
  return bufferOf(value).toString()
}

function bufferOf(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

/** Whether every field has the type on which the rest of the program relies. */
function isGroup(decoded: unknown): decoded is Group {
  if (typeof decoded !== 'object' || decoded === null) return false
  const group = decoded as Readonly<Record<keyof Group, unknown>>
  return (
    typeof group.groupId === 'string' &&
    (group.description === undefined || typeof group.description === 'string') &&
    (group.labels === undefined || areLabels(group.labels)) &&
    Number.isSafeInteger(group.version) &&
    typeof group.incarnation === 'string' &&
    (group.life === undefined || typeof group.life === 'string') &&
    (group.requests === undefined || areTexts(group.requests)) &&
    typeof group.createdAt === 'string' &&
    typeof group.updatedAt === 'string' &&
    (group.updatedBy === undefined || typeof group.updatedBy === 'string') &&
    (group.requestId === undefined || typeof group.requestId === 'string')
  )
}

function areTexts(texts: unknown): boolean {
  return Array.isArray(texts) && texts.every((text) => typeof text === 'string')
}

function areLabels(labels: unknown): boolean {
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) return false
  for (const key in labels) if (typeof (labels as Labels)[key] !== 'string') return false
  return true
}
