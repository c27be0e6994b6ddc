/** The level of the microphone, drawn while it listens; a plain meter where motion is unwelcome. */
import { useEffect, useRef } from 'preact/hooks';

const BAR = 3;
const GAP = 2;
/** Often enough to look alive, and half the work of every frame: an open microphone may be watched for hours. */
const EVERY_MS = 32;

function draw(canvas: HTMLCanvasElement, levels: readonly number[], still: boolean): void {
  const context = canvas.getContext('2d');
  if (!context) {
    return;
  }
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(canvas).color;
  if (still) {
    const level = levels[levels.length - 1] ?? 0;
    context.fillRect(0, height / 2 - 3, Math.max(4, level * width), 6);
    return;
  }
  const bars = Math.floor(width / (BAR + GAP));
  for (let i = 0; i < bars; i++) {
    const level = levels[levels.length - 1 - i] ?? 0;
    const tall = Math.max(BAR, level * (height - 2));
    const x = width - (i + 1) * (BAR + GAP);
    context.globalAlpha = 0.35 + 0.65 * (1 - i / bars);
    context.beginPath();
    context.roundRect(x, (height - tall) / 2, BAR, tall, BAR / 2);
    context.fill();
  }
  context.globalAlpha = 1;
}

export function Waveform({ levels }: { levels: readonly number[] }) {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const still = window.matchMedia?.('(prefers-reduced-motion: reduce)').matches ?? false;
    let frame = 0;
    let drawn = -EVERY_MS;
    const next = (now = performance.now()): void => {
      if (ref.current && now - drawn >= EVERY_MS) {
        drawn = now;
        draw(ref.current, levels, still);
      }
      frame = requestAnimationFrame(next);
    };
    next();
    return () => cancelAnimationFrame(frame);
  }, [levels]);
  return <canvas ref={ref} class="vk-waveform" aria-hidden="true" />;
}
