import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinCutTexts } from './cut-text.ts'

test('texts are joined by commas, without what is cut out of them', () => {
  const cut = (text: string, start: number, end: number) => ({ bytes: Buffer.from(text), start, end })
  const joined = (...parameters: Parameters<typeof joinCutTexts>) => joinCutTexts(...parameters).toString()
  assert.equal(joined('', [], ''), '')
  assert.equal(joined('[', [], ']'), '[]')
  assert.equal(joined('[', [cut('abc', 0, 0)], ']'), '[abc]')
  assert.equal(joined('é', [cut('abc', 1, 2), cut('"é"', 0, 1), cut('xyz', 2, 3)], 'è'), 'éac,é",xyè')
})
