/** Pictures from safe addresses only. Responsible for what may be loaded, and for the words in its place. */
import { useState } from 'preact/hooks';
import { flag, pick, text } from './node';
import { type ViewProps, useHost } from './scope';
import { type Style, blockStyle } from './style';

/** Whether a picture may come from there: the web by https, pixels in the widget itself, or of this page. */
export function isSafeImage(source: unknown): source is string {
  if (typeof source !== 'string') {
    return false;
  }
  if (/^data:image\/(png|jpeg|gif|webp);base64,[\w+/=\s]*$/.test(source) || /^blob:[\w+.:/-]+$/i.test(source)) {
    return true;
  }
  try {
    const { protocol, username, password } = new URL(source);
    return protocol === 'https:' && !username && !password;
  } catch {
    // Not an address.
    return false;
  }
}

interface SafeImageProps {
  readonly src: unknown;
  readonly alt: string;
  readonly class: string;
  readonly style?: Style;
  readonly frame?: boolean;
  readonly flush?: boolean;
}

export function SafeImage({ src, alt, class: name, style = {}, frame = false, flush = false }: SafeImageProps) {
  const { trans } = useHost();
  const [broken, setBroken] = useState<unknown>(null);
  const marks = { 'data-frame': frame || undefined, 'data-flush': flush || undefined };
  if (!isSafeImage(src) || broken === src) {
    const words = alt || trans.__('A picture that cannot be shown');
    return (
      <span class={`${name} vk-w-no-image`} role="img" aria-label={words} style={style} {...marks}>
        <span aria-hidden="true">{alt}</span>
      </span>
    );
  }
  return (
    <img
      class={name}
      src={src}
      alt={alt}
      loading="lazy"
      decoding="async"
      referrerpolicy="no-referrer"
      draggable={false}
      style={style}
      {...marks}
      onError={() => setBroken(src)}
    />
  );
}

const POSITIONS = [
  'top left', 'top', 'top right', 'left', 'center', 'right', 'bottom left', 'bottom', 'bottom right'
] as const;

export function Image({ node }: ViewProps) {
  const fit = pick(node, 'fit', ['cover', 'contain', 'fill', 'scale-down', 'none']);
  const position = pick(node, 'position', POSITIONS);
  return (
    <SafeImage
      class="vk-w-image"
      src={node['src']}
      alt={text(node, 'alt')}
      frame={flag(node, 'frame')}
      flush={flag(node, 'flush')}
      style={{
        ...blockStyle(node),
        ...(fit ? { objectFit: fit } : {}),
        ...(position ? { objectPosition: position } : {})
      }}
    />
  );
}
