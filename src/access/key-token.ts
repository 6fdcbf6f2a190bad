/**
 * API keys as text: `cohort_`, 30 characters of base62, and 6 more that hold the CRC-32 of those 30. Programs
 * that search for leaked secrets find this form, and a key that was cut off or mistyped is recognised without
 * asking anyone.
 *
 * The first 8 of the 30 characters are the public id of the key. They are shown in lists and in logs. The
 * other 22 are the secret: 131 bits.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'

export const TOKEN_START = 'cohort_'

const ID_LENGTH = 8
const BODY_LENGTH = 30
const CHECK_LENGTH = 6
const TOKEN_LENGTH = TOKEN_START.length + BODY_LENGTH + CHECK_LENGTH
const CHECK_AT = TOKEN_START.length + BODY_LENGTH

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The public id of a key. */
export const KEY_ID = `^[0-9A-Za-z]{${ID_LENGTH}}$`

const BODY = /^[0-9A-Za-z]+$/

/** Draws bytes that nobody can predict. */
export type DrawBytes = (count: number) => Uint8Array

/** A new key. `id`: its public id; by default a new one. */
export function newToken(drawBytes: DrawBytes, id: string = drawText(ID_LENGTH, drawBytes)): string {
  const body = id + drawText(BODY_LENGTH - ID_LENGTH, drawBytes)
  return TOKEN_START + body + checkOf(body)
}

/** The public id of a key. `undefined`: the text is not a key, or it has a mistake in it. */
export function idOfToken(token: string): string | undefined {
  if (token.length !== TOKEN_LENGTH || !token.startsWith(TOKEN_START)) return undefined
  const body = token.slice(TOKEN_START.length, CHECK_AT)
  if (!BODY.test(body) || token.slice(CHECK_AT) !== checkOf(body)) return undefined
  return body.slice(0, ID_LENGTH)
}

/**
 * The hash under which a key is kept. A key is random and long, so a fast hash is enough: nobody can search
 * for it.
 */
export function hashToken(token: string): Buffer {
  return hash('sha256', token, 'buffer')
}

/** Whether two hashes are equal, in a time that does not tell where they differ. */
export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return timingSafeEqual(a, b)
}

/** Whether two keys are equal, as the bytes of their texts. Its time tells only whether they are as long. */
export function isSameToken(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

function drawText(length: number, drawBytes: DrawBytes): string {
  let text = ''
  while (text.length < length) {
    for (const byte of drawBytes(2 * length)) {
      // Bytes above the last multiple of 62 would make some characters more likely than others.
      if (byte < 4 * ALPHABET.length && text.length < length) text += ALPHABET[byte % ALPHABET.length]
    }
  }
  return text
}

function checkOf(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let place = 0; place < CHECK_LENGTH; place += 1) {
    text = ALPHABET[rest % ALPHABET.length] + text
    rest = Math.floor(rest / ALPHABET.length)
  }
  return text
}
