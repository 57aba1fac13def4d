import { describe, expect, it } from 'vitest';
import { fitText, setText } from './text.ts';

describe('setText', () => {
  it('draws every character of a label in its own shape', () => {
    const characters = [...'斑马犰狳狨鹀蛱预测：Pred0.98éłő'];
    const lines = characters.map((character) => setText(character, 20));
    expect(lines.flatMap(({ missing }) => missing)).toEqual([]);
    expect(new Set(lines.map(({ path }) => path)).size).toBe(new Set(characters).size);
  });

  it('reports a character that no font has, and draws a box in its place', () => {
    const line = setText('a䴕b🦓', 20);
    expect(line.missing).toEqual(['䴕', '🦓']);
    const widthOf = (text: string) => setText(text, 20).width;
    expect(line.width).toBeCloseTo(widthOf('a') + widthOf('b') + 2 * 14, 6);
    expect(setText('䴕', 20).path).toBe(setText('🦓', 20).path);
    expect(setText('䴕', 20).path).not.toBe('');
  });

  it('advances by the font’s own measures, kerned', () => {
    // Noto Sans: A is 639 units wide, 马 is full width, both of 1000 per em.
    expect(setText('A', 100).width).toBeCloseTo(63.9, 6);
    expect(setText('马', 100).width).toBeCloseTo(100, 6);
    expect(setText('AV', 100).width).toBeLessThan(setText('A', 100).width + setText('V', 100).width);
  });

  it('takes line breaks and control characters for spaces', () => {
    expect(setText('a\n\tb\u0000c', 10).text).toBe('a b c');
  });
});

describe('fitText', () => {
  it('leaves a line that fits alone', () => {
    expect(fitText('zebra 0.998', 20, 200)).toEqual(setText('zebra 0.998', 20));
  });

  it('shortens the name and keeps the number', () => {
    const line = fitText('Pred: sulphur-crested cockatoo 0.041', 20, 200);
    expect(line.text).toMatch(/^Pred: sulph.*… 0\.041$/);
    expect(line.width).toBeLessThanOrEqual(200);
    expect(setText(line.text.replace('…', 'xx…'), 20).width).toBeGreaterThan(200);
  });

  it('keeps a score with its word and its sign', () => {
    expect(fitText('Pred: sulphur-crested cockatoo, score -12.041', 20, 260).text).toMatch(
      /^Pred: su.*…, score -12\.041$/,
    );
    expect(fitText('预测：葵花凤头鹦鹉葵花凤头鹦鹉，得分 3.041', 20, 260).text).toMatch(
      /^预测：.*…，得分 3\.041$/,
    );
  });

  it('shortens by characters, never through one', () => {
    expect(fitText('𠮷𠮷𠮷𠮷𠮷', 20, 60).text).toMatch(/^(𠮷)*…$/u);
  });
});
