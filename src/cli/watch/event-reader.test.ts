import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventReader } from './event-reader.ts'

const TEXT = [
  'retry: 1000\n\n',
  'event: group\ndata: {"a":1}\n\n',
  ': nothing new\n\n',
  'id: p1\n\n',
  'event: group-deleted\ndata: x\ndata: y\n\n',
  'event: reset\nid:\ndata: {}\n\n',
].join('')

test('events are read whole, however the text is cut into pieces', () => {
  for (let size = 1; size <= TEXT.length; size += 1) {
    const reader = new EventReader()
    const events = []
    for (let at = 0; at < TEXT.length; at += size) events.push(...reader.take(TEXT.slice(at, at + size)))
    assert.deepEqual(events, [
      { kind: 'group', data: '{"a":1}' },
      { kind: 'group-deleted', data: 'x\ny' },
      { kind: 'reset', data: '{}' },
    ])
  }
})

test('the place is the last id, and an empty id takes it back', () => {
  const reader = new EventReader()
  reader.take(TEXT.slice(0, TEXT.indexOf('event: group-deleted')))
  assert.equal(reader.place, 'p1')
  reader.take(TEXT.slice(TEXT.indexOf('event: group-deleted')))
  assert.equal(reader.place, undefined)
})
