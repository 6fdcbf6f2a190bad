import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readableLines } from './readable-line.ts'

const readable = readableLines({ colorize: false })

test('a log line becomes one readable line with its fields after the message', () => {
  const line = JSON.stringify({
    level: 30,
    time: 0,
    pid: 7,
    hostname: 'h',
    name: 'node',
    port: 8001,
    msg: 'node is listening',
  })
  assert.match(readable(line), /^\[\d\d:\d\d:\d\d\] INFO: node is listening \{"port":8001\}$/)
})

test('a line that is not a log line stays unchanged', () => {
  for (const line of ['plain words', '{"half":', '7', '']) assert.equal(readable(line), line)
})
