import { describe, expect, it } from 'vitest'
import { dumpHeadOf } from './dump-head.js'
import { mysqlSql } from './format-sql.js'

const mariadbHead = `/*M!999999\\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version\t10.11.19-MariaDB-0+deb12u1
`
const mysqlHead = `-- MySQL dump 10.13  Distrib 8.4.5, for Linux (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version\t8.4.5
`
const ours = '/*!40101 ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci */;\n'
const body = 'CREATE TABLE a (b INT);\n'
const recognises = (text: string) => mysqlSql.recognises(Buffer.from(text))

function check(...chunks: string[]): void {
  const checker = mysqlSql.checker()
  for (const chunk of chunks) checker.push(Buffer.from(chunk))
  checker.end()
}

describe('recognising SQL', () => {
  it.each([
    ['a MariaDB dump', mariadbHead],
    ['a MySQL dump', mysqlHead],
    ['a dump of ours', ours + mariadbHead],
    ['a script', body],
    ['a script after comments', '/* a\n b */\n# c\n-- d\n\ndrop table if exists x;'],
    [
      'a phpMyAdmin dump',
      '-- phpMyAdmin SQL Dump\n-- version 5.2\n\nSET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";',
    ],
    ['a script with a byte order mark', '\uFEFFUSE x;'],
    ['a long comment', `/* ${'x'.repeat(600)}`],
  ])('knows %s', (_what, text) => {
    expect(recognises(text)).toBe(true)
  })

  it.each([
    ['prose', 'Once upon a time '.repeat(40)],
    ['a PostgreSQL dump', '--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n'],
    ['a SQLite dump', 'PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n'],
    ['a pg_dump archive', 'PGDMP\u0001\u000e\0'],
    ['a SQLite file', 'SQLite format 3\0'],
    ['nothing', ''],
  ])('leaves %s to others', (_what, text) => {
    expect(recognises(text)).toBe(false)
  })

  it('reads whose tool wrote a dump, and of which server', () => {
    expect(dumpHeadOf(ours + mariadbHead)).toEqual({ family: 'MariaDB', serverVersion: [10, 11, 19] })
    expect(dumpHeadOf(mysqlHead)).toEqual({ family: 'MySQL', serverVersion: [8, 4, 5] })
    expect(dumpHeadOf('-- MySQL dump 10.16  Distrib 10.1.48-MariaDB, for Linux')).toEqual({
      family: 'MariaDB',
    })
    expect(dumpHeadOf(body)).toBeUndefined()
  })
})

describe('FAILURES 3: a dump is whole', () => {
  it.each([
    ['with the trailer', `${mariadbHead}${body}\n-- Dump completed\n`],
    ['with a dated trailer', `${mysqlHead}${body}\n-- Dump completed on 2024-02-30 10:00:00\r\n`],
    [
      'made of two runs',
      `${ours}${mysqlHead}${body}-- Dump completed\n${mysqlHead}${body}-- Dump completed\n`,
    ],
    ['as a script', `${body}INSERT INTO a VALUES (1);\n-- the end\n`],
    ['as a script with a delimiter of its own', `DELIMITER $$\nCREATE PROCEDURE p() SELECT 1$$\n`],
  ])('%s', (_what, text) => {
    check(text)
    check(...text.split(''))
  })

  it.each([
    ['without the trailer', `${mariadbHead}${body}`],
    ['with half the trailer', `${mariadbHead}${body}-- Dump complete`],
    ['with the trailer within', `${mariadbHead}-- Dump completed\n${body}`],
    ['with our first line alone', ours],
    ['with the first comments alone', '-- MySQL dum'],
    ['with the sandbox line alone', '/*M!999999\\- enable the sandbox mode */ \n'],
    ['in a script cut within a statement', `${body}INSERT INTO a VALUES (1),\n(2`],
  ])('not %s', (_what, text) => {
    expect(() => check(text)).toThrow(expect.objectContaining({ code: 'integrity.truncated' }))
    expect(() => check(...text.split(''))).toThrow(expect.objectContaining({ code: 'integrity.truncated' }))
  })

  it('nor when it is empty or something else', () => {
    expect(() => check()).toThrow(expect.objectContaining({ code: 'integrity.empty' }))
    expect(() => check('GIF89a…')).toThrow(expect.objectContaining({ code: 'integrity.format' }))
  })

  it('with the trailer beyond a long last line', () => {
    check(mariadbHead, `INSERT INTO a VALUES ('${'x'.repeat(300_000)}');\n`, '-- Dump ', 'completed')
  })
})
