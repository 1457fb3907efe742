import { expect, it } from 'vitest'
import { serverError, ServerMessages, type ServerMessage } from './server-messages.js'

function message(code: string, body: string): Buffer {
  const head = Buffer.alloc(5)
  head.write(code)
  head.writeInt32BE(Buffer.byteLength(body) + 4, 1)
  return Buffer.concat([head, Buffer.from(body)])
}

const rows = ['a', '', 'row '.repeat(300), 'ddddd', 'Z']
const sent = Buffer.concat([
  message('H', 'begin'),
  ...rows.map((row) => message('d', row)),
  message('N', 'notice'),
  message('d', 'last'),
  message('c', ''),
  message('C', 'COPY 6\0'),
  message('Z', 'I'),
])

it.each([1, 2, 3, 5, 7, 64, sent.length])('messages that arrive in pieces of %i bytes', (step) => {
  const received: ServerMessage[] = []
  const messages = new ServerMessages((each) => received.push(each))
  const memory = Buffer.alloc(step)
  let data = ''
  for (let at = 0; at < sent.length; at += step) {
    const piece = memory.subarray(0, sent.copy(memory, 0, at))
    data += piece.toString('latin1', 0, messages.strip(piece))
  }
  expect(data).toBe(`${rows.join('')}last`)
  expect(received.map(({ code, body }) => `${code}${body.toString('latin1')}`)).toEqual([
    ...['Hbegin', 'Nnotice', 'c', 'CCOPY 6\0', 'ZI'],
  ])
})

it('an error of the server has its state, its message and where it was', () => {
  const body = Buffer.from('SERROR\0C22P03\0Mincorrect binary data format\0WCOPY film, line 2\0\0')
  expect(serverError({ code: 'E', body })).toMatchObject({
    code: '22P03',
    message: 'incorrect binary data format (COPY film, line 2)',
  })
})
