import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventStream } from '../../client/src/event-stream.ts'

const TEXT = [
  'retry: 1000\n\n',
  'event: group\ndata: {"a":1}\n\n',
  ': nothing new\n\n',
  'id: p1\n\n',
  'event: group-deleted\ndata: x\ndata: y\n\n',
  'event: reset\nid:\ndata: {}\n\n',
].join('')

test('events and places are read whole and in their order, however the text is cut into pieces', () => {
  for (let size = 1; size <= TEXT.length; size += 1) {
    const stream = new EventStream()
    const entries = []
    for (let at = 0; at < TEXT.length; at += size) entries.push(...stream.take(TEXT.slice(at, at + size)))
    assert.deepEqual(entries, [
      { kind: 'event', name: 'group', data: '{"a":1}' },
      { kind: 'place', place: 'p1' },
      { kind: 'event', name: 'group-deleted', data: 'x\ny' },
      { kind: 'event', name: 'reset', data: '{}' },
      { kind: 'place', place: undefined },
    ])
  }
})
