//! Line and point plots of one or several panels, each figure as SVG and PNG.
//!
//! The font comes with the program, so the pictures are the same on a machine without any. Everything is laid out in `SCALE`-fold
//! coordinates, since the back ends place on whole pixels: the SVG is shown at `1 / SCALE`, and the PNG is averaged down to
//! `PNG_SCALE`, which also smooths its edges.

use super::{Failure, Outcome};
use plotters::element::{DashedPathElement, Drawable};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

const SCALE: f64 = 4.0;
const PNG_SCALE: usize = 2;
/// A list as CSS wants it: an SVG is shown by programs that have their own fonts.
const FONT: &str = "DejaVu Sans, Verdana, Arial, sans-serif";
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(228, 228, 228);
/// Okabe and Ito's palette, which colour-blind readers can tell apart.
const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
];

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Style {
    /// A solid line.
    Line,
    /// A dashed line.
    Dashed,
    /// A disc at each point.
    Points,
    /// Small discs, for clouds of many points.
    Dots,
}

/// One curve or set of points.
#[derive(Clone, Debug)]
struct Series {
    name: String,
    points: Vec<(f64, f64)>,
    errors: Vec<f64>,
    style: Style,
}

/// Values on a grid over the whole panel.
#[derive(Clone, Debug)]
struct Heat {
    values: Vec<f64>,
    columns: usize,
}

/// How many shades a heat map has; cells of the lowest are left white.
const SHADES: f64 = 24.0;

/// One pair of axes and what is drawn in it.
#[derive(Clone, Debug)]
pub struct Panel {
    title: String,
    labels: [String; 2],
    series: Vec<Series>,
    heat: Option<Heat>,
    marks: [Vec<(f64, String)>; 2],
    ranges: [Option<(f64, f64)>; 2],
    log: [bool; 2],
}

impl Panel {
    /// Empty axes with their labels.
    pub fn new(x_label: &str, y_label: &str) -> Self {
        let labels = [x_label.to_string(), y_label.to_string()];
        Panel {
            title: String::new(),
            labels,
            series: Vec::new(),
            heat: None,
            marks: Default::default(),
            ranges: [None; 2],
            log: [false; 2],
        }
    }

    /// A heading above the axes.
    pub fn title(mut self, title: &str) -> Self {
        self.title = title.into();
        self
    }

    /// Adds a series in any style. An empty name keeps it out of the legend; points that are not finite leave a gap.
    pub fn series(mut self, name: &str, points: &[(f64, f64)], style: Style) -> Self {
        self.series.push(Series { name: name.into(), points: points.to_vec(), errors: Vec::new(), style });
        self
    }

    /// Adds a solid line.
    pub fn line(self, name: &str, points: &[(f64, f64)]) -> Self {
        self.series(name, points, Style::Line)
    }

    /// Adds a dashed line.
    pub fn dashed(self, name: &str, points: &[(f64, f64)]) -> Self {
        self.series(name, points, Style::Dashed)
    }

    /// Adds discs.
    pub fn points(self, name: &str, points: &[(f64, f64)]) -> Self {
        self.series(name, points, Style::Points)
    }

    /// Adds discs with error bars: (x, y, standard error of y).
    pub fn points_with_errors(mut self, name: &str, points: &[(f64, f64, f64)]) -> Self {
        let errors = points.iter().map(|p| p.2).collect();
        let points = points.iter().map(|p| (p.0, p.1)).collect();
        self.series.push(Series { name: name.into(), points, errors, style: Style::Points });
        self
    }

    /// A dashed vertical line at x, as for a critical point.
    pub fn vertical(mut self, name: &str, x: f64) -> Self {
        self.marks[0].push((x, name.into()));
        self
    }

    /// A dashed horizontal line at y, as for an exact value.
    pub fn horizontal(mut self, name: &str, y: f64) -> Self {
        self.marks[1].push((y, name.into()));
        self
    }

    /// A logarithmic x axis; points at x ≤ 0 are left out.
    pub fn log_x(mut self) -> Self {
        self.log[0] = true;
        self
    }

    /// A logarithmic y axis; points at y ≤ 0 are left out.
    pub fn log_y(mut self) -> Self {
        self.log[1] = true;
        self
    }

    /// The ends of the x axis, instead of those of the points.
    pub fn x_range(mut self, low: f64, high: f64) -> Self {
        self.ranges[0] = Some((low, high));
        self
    }

    /// The ends of the y axis, instead of those of the points.
    pub fn y_range(mut self, low: f64, high: f64) -> Self {
        self.ranges[1] = Some((low, high));
        self
    }

    /// Shades of values ≥ 0 under everything else, from white at 0 to dark at the largest: on a grid over these ranges, which become those
    /// of the axes, row by row from the lowest y.
    pub fn heat(mut self, values: &[f64], columns: usize, x: (f64, f64), y: (f64, f64)) -> Self {
        self.heat = Some(Heat { values: values.to_vec(), columns });
        self.x_range(x.0, x.1).y_range(y.0, y.1)
    }

    /// What the axes carry: the value itself or its decimal logarithm, NaN where there is none.
    fn place(&self, axis: usize, value: f64) -> f64 {
        match self.log[axis] {
            true if value > 0.0 => value.log10(),
            true => f64::NAN,
            false => value,
        }
    }

    fn placed(&self, (x, y): (f64, f64)) -> [f64; 2] {
        [self.place(0, x), self.place(1, y)]
    }

    /// The span of an axis in its own coordinate.
    fn range(&self, axis: usize) -> (f64, f64) {
        if let Some((low, high)) = self.ranges[axis] {
            return (self.place(axis, low), self.place(axis, high));
        }
        let mut values: Vec<f64> = self.marks[axis].iter().map(|mark| self.place(axis, mark.0)).collect();
        for s in &self.series {
            for (i, &(x, y)) in s.points.iter().enumerate() {
                let e = if axis == 1 { s.errors.get(i).copied().unwrap_or(0.0) } else { 0.0 };
                let value = [x, y][axis];
                // on a log axis the lower bar may have no place; then the point alone counts
                values.extend([value - e, value, value + e].map(|v| self.place(axis, v)));
            }
        }
        values.retain(|v| v.is_finite());
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if values.is_empty() {
            return (0.0, 1.0);
        }
        let pad = if high - low > 1e-12 * high.abs().max(low.abs()) { 0.04 * (high - low) } else { 0.5 * high.abs().max(1e-3) };
        (low - pad, high + pad)
    }
}

/// Panels side by side under one title.
#[derive(Clone, Debug)]
pub struct Figure {
    title: String,
    panels: Vec<Panel>,
    columns: usize,
    panel_size: (f64, f64),
}

impl Figure {
    /// A figure without panels.
    pub fn new(title: &str) -> Self {
        Figure { title: title.into(), panels: Vec::new(), columns: 3, panel_size: (460.0, 360.0) }
    }

    /// Adds a panel.
    pub fn panel(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }

    /// The most panels in a row (3 unless set).
    pub fn columns(mut self, columns: usize) -> Self {
        self.columns = columns.max(1);
        self
    }

    /// Width and height of a panel with its labels, in SVG units (460 × 360 unless set).
    pub fn panel_size(mut self, width: f64, height: f64) -> Self {
        self.panel_size = (width, height);
        self
    }

    /// Writes `stem.svg` and `stem.png` into the folder.
    pub fn save(&self, folder: &Path, stem: &str) -> Outcome {
        for (style, bytes) in [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())] {
            plotters::style::register_font(FONT, style, bytes).map_err(|_| "the font cannot be read")?;
        }
        let columns = self.columns.min(self.panels.len()).max(1);
        let rows = self.panels.len().div_ceil(columns).max(1);
        let head = if self.title.is_empty() { 8.0 } else { 40.0 };
        let size = (self.panel_size.0 * columns as f64, self.panel_size.1 * rows as f64 + head);
        let (width, height) = ((size.0 * SCALE) as u32, (size.1 * SCALE) as u32);

        let mut text = String::new();
        self.draw(Canvas { area: SVGBackend::with_string(&mut text, (width, height)).into_drawing_area(), bitmap: false }, columns, head)?;
        let shown = format!("width=\"{}\" height=\"{}\" viewBox", size.0, size.1);
        let svg = text.replacen(&format!("width=\"{width}\" height=\"{height}\" viewBox"), &shown, 1);
        std::fs::write(folder.join(stem).with_extension("svg"), svg)?;

        let mut pixels = vec![0; (width * height) as usize * 3];
        let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        self.draw(Canvas { area, bitmap: true }, columns, head)?;
        let (small, small_size) = averaged(&pixels, width as usize, height as usize, SCALE as usize / PNG_SCALE);
        let png = folder.join(stem).with_extension("png");
        let area = BitMapBackend::new(&png, small_size).into_drawing_area();
        area.draw(&BitMapElement::with_owned_buffer((0, 0), small_size, small).ok_or("the picture's size")?).map_err(failed)?;
        area.present().map_err(failed)
    }

    fn draw<B: DrawingBackend>(&self, canvas: Canvas<B>, columns: usize, head: f64) -> Outcome {
        canvas.area.fill(&WHITE).map_err(failed)?;
        let (width, height) = self.panel_size;
        canvas.text(&self.title, (width * columns as f64 / 2.0, 22.0), &Label { size: 19.0, bold: true, ..Label::default() })?;
        for (row, panels) in self.panels.chunks(columns).enumerate() {
            let y = head + row as f64 * height;
            let layouts: Vec<_> =
                panels.iter().enumerate().map(|(i, panel)| Layout::new(panel, (i as f64 * width, y), (width, height))).collect();
            // the axes of a row begin at one height
            let top = layouts.iter().map(|layout| layout.top).fold(y, f64::max);
            for (panel, layout) in panels.iter().zip(layouts) {
                draw_panel(&canvas, panel, Layout { top, ..layout })?;
            }
        }
        canvas.area.present().map_err(failed)
    }
}

fn failed(e: impl std::fmt::Display) -> Failure {
    format!("cannot draw the plot: {e}").into()
}

/// The means over squares of `by × by` pixels.
fn averaged(pixels: &[u8], width: usize, height: usize, by: usize) -> (Vec<u8>, (u32, u32)) {
    let (w, h) = (width / by, height / by);
    let mut out = Vec::with_capacity(w * h * 3);
    for (y, x) in (0..h).flat_map(|y| (0..w).map(move |x| (y, x))) {
        for channel in 0..3 {
            let square = (0..by * by).map(|k| pixels[((y * by + k / by) * width + x * by + k % by) * 3 + channel] as usize);
            out.push((square.sum::<usize>() / (by * by)) as u8);
        }
    }
    (out, (w as u32, h as u32))
}

struct Label {
    size: f64,
    bold: bool,
    anchor: HPos,
    upwards: bool,
}

impl Default for Label {
    fn default() -> Self {
        Label { size: 12.5, bold: false, anchor: HPos::Center, upwards: false }
    }
}

/// A back end in SVG units.
struct Canvas<B: DrawingBackend> {
    area: DrawingArea<B, plotters::coord::Shift>,
    bitmap: bool,
}

fn pixel((x, y): (f64, f64)) -> (i32, i32) {
    ((x * SCALE).round() as i32, (y * SCALE).round() as i32)
}

fn stroke(color: RGBColor, width: f64) -> ShapeStyle {
    color.stroke_width((width * SCALE).round() as u32)
}

fn text_width(text: &str, size: f64) -> f64 {
    let font = FontDesc::new(FontFamily::Name(FONT), size * SCALE * 1.24, FontStyle::Normal);
    font.box_size(text).map_or(0.0, |(width, _)| width as f64 / SCALE)
}

impl<B: DrawingBackend> Canvas<B> {
    fn draw<E>(&self, element: E) -> Outcome
    where
        for<'b> &'b E: plotters::element::PointCollection<'b, (i32, i32)>,
        E: Drawable<B>,
    {
        self.area.draw(&element).map_err(failed)
    }

    /// Text with its middle at the height of `at`.
    fn text(&self, text: &str, at: (f64, f64), label: &Label) -> Outcome {
        // the back ends' size is 1.24 em
        let size = label.size * 1.24;
        let style = if label.bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = FontDesc::new(FontFamily::Name(FONT), size * SCALE, style);
        // the bitmap back end sets text this much of its size too high
        let shift = if self.bitmap { 0.18 * size } else { 0.0 };
        let (font, at) =
            if label.upwards { (font.transform(FontTransform::Rotate270), (at.0 + shift, at.1)) } else { (font, (at.0, at.1 + shift)) };
        let style = font.color(&INK).pos(Pos::new(label.anchor, VPos::Center));
        self.draw(Text::new(text.to_string(), pixel(at), style))
    }

    fn polyline(&self, points: &[(f64, f64)], color: RGBColor, width: f64, dashed: bool) -> Outcome {
        let mut path: Vec<_> = points.iter().copied().map(pixel).collect();
        path.dedup();
        if path.len() < 2 {
            return Ok(());
        }
        let style = stroke(color, width);
        if dashed {
            return self.draw(DashedPathElement::new(path, (6.0 * SCALE) as u32, (4.0 * SCALE) as u32, style));
        }
        if !self.bitmap {
            return self.draw(PathElement::new(path, style));
        }
        // round joints by hand: the bitmap back end's mitres turn into spikes where a curve is noisy
        for &point in &path[1..path.len() - 1] {
            self.draw(Circle::new(point, (width * SCALE / 2.0).round() as i32, color.filled()))?;
        }
        for pair in path.windows(2) {
            self.draw(PathElement::new(pair.to_vec(), style))?;
        }
        Ok(())
    }

    fn disc(&self, at: (f64, f64), radius: f64, color: RGBColor) -> Outcome {
        self.draw(Circle::new(pixel(at), (radius * SCALE).round() as i32, color.filled()))
    }

    /// The sample of a series in the legend.
    fn sample(&self, style: Style, color: RGBColor, (x, y): (f64, f64)) -> Outcome {
        match style {
            Style::Line | Style::Dashed => self.polyline(&[(x, y), (x + 26.0, y)], color, 2.0, style == Style::Dashed),
            Style::Points => self.disc((x + 13.0, y), 3.5, color),
            Style::Dots => self.disc((x + 13.0, y), 2.0, color),
        }
    }
}

/// Where the parts of a panel go.
struct Layout {
    corner: (f64, f64),
    ticks: [Vec<(f64, String)>; 2],
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    /// Name, colour, style and place of each entry of the legend, in rows above the axes, where it covers nothing.
    legend: Vec<(String, RGBColor, Style, (f64, f64))>,
}

impl Layout {
    fn new(panel: &Panel, corner: (f64, f64), size: (f64, f64)) -> Self {
        let ticks = [0, 1].map(|axis| {
            let count = if axis == 0 { size.0 / 85.0 } else { size.1 / 55.0 };
            if panel.log[axis] { log_ticks(panel.range(axis), count) } else { ticks(panel.range(axis), count) }
        });
        let left = corner.0 + 42.0 + ticks[1].iter().map(|tick| text_width(&tick.1, 12.5)).fold(0.0, f64::max);
        let right = corner.0 + size.0 - 20.0;
        let series = panel.series.iter().enumerate().map(|(i, s)| (s.name.clone(), PALETTE[i % PALETTE.len()], s.style));
        let marks = panel.marks.iter().flatten().map(|mark| (mark.1.clone(), INK, Style::Dashed));
        let (mut x, mut y) = (left, corner.1 + if panel.title.is_empty() { 14.0 } else { 40.0 });
        let mut legend = Vec::new();
        for (name, color, style) in series.chain(marks).filter(|entry| !entry.0.is_empty()) {
            let width = 32.0 + text_width(&name, 12.5);
            if x > left && x + width > right {
                (x, y) = (left, y + 19.0);
            }
            legend.push((name, color, style, (x, y)));
            x += width + 18.0;
        }
        let top = if legend.is_empty() { y - 2.0 } else { y + 16.0 };
        Layout { corner, ticks, left, right, top, bottom: corner.1 + size.1 - 56.0, legend }
    }
}

fn draw_panel<B: DrawingBackend>(canvas: &Canvas<B>, panel: &Panel, layout: Layout) -> Outcome {
    let Layout { corner, ticks, left, right, top, bottom, legend } = layout;
    let ranges = [panel.range(0), panel.range(1)];
    canvas.text(&panel.title, ((left + right) / 2.0, corner.1 + 16.0), &Label { size: 14.5, bold: true, ..Label::default() })?;
    for (name, color, style, (x, y)) in legend {
        canvas.sample(style, color, (x, y))?;
        canvas.text(&name, (x + 32.0, y), &Label { anchor: HPos::Left, ..Label::default() })?;
    }

    let at = |p: [f64; 2]| {
        let fraction = |axis: usize| (p[axis] - ranges[axis].0) / (ranges[axis].1 - ranges[axis].0);
        (left + fraction(0) * (right - left), bottom - fraction(1) * (bottom - top))
    };
    let (low, high) = ([ranges[0].0, ranges[1].0], [ranges[0].1, ranges[1].1]);
    if let Some(heat) = &panel.heat {
        draw_heat(canvas, heat, (left, right), (top, bottom))?;
    }
    for (x, label) in &ticks[0] {
        canvas.polyline(&[at([*x, low[1]]), at([*x, high[1]])], GRID, 1.0, false)?;
        canvas.text(label, (at([*x, low[1]]).0, bottom + 15.0), &Label::default())?;
    }
    for (y, label) in &ticks[1] {
        canvas.polyline(&[at([low[0], *y]), at([high[0], *y])], GRID, 1.0, false)?;
        canvas.text(label, (left - 8.0, at([low[0], *y]).1), &Label { anchor: HPos::Right, ..Label::default() })?;
    }
    let label = Label { size: 13.5, ..Label::default() };
    canvas.text(&panel.labels[0], ((left + right) / 2.0, bottom + 38.0), &label)?;
    canvas.text(&panel.labels[1], (corner.0 + 16.0, (top + bottom) / 2.0), &Label { upwards: true, ..label })?;

    for (i, (value, _)) in panel.marks.iter().enumerate().flat_map(|(axis, marks)| marks.iter().map(move |mark| (axis, mark))) {
        let v = panel.place(i, *value);
        let ends = if i == 0 { [[v, low[1]], [v, high[1]]] } else { [[low[0], v], [high[0], v]] };
        if v >= low[i] && v <= high[i] {
            canvas.polyline(&ends.map(at), INK, 1.25, true)?;
        }
    }
    // discs lie on top of lines, whatever the order in which they were given
    for over in [false, true] {
        for (i, s) in panel.series.iter().enumerate() {
            if over == matches!(s.style, Style::Points | Style::Dots) {
                draw_series(canvas, panel, s, PALETTE[i % PALETTE.len()], (low, high), &at)?;
            }
        }
    }
    let frame = [low, [low[0], high[1]], high, [high[0], low[1]], low].map(at);
    canvas.polyline(&frame, INK, 1.0, false)
}

/// Cells of one shade that follow each other in a row are one rectangle.
fn draw_heat<B: DrawingBackend>(canvas: &Canvas<B>, heat: &Heat, (left, right): (f64, f64), (top, bottom): (f64, f64)) -> Outcome {
    let rows = heat.values.len() / heat.columns;
    let most = heat.values.iter().copied().filter(|v| v.is_finite()).fold(f64::MIN_POSITIVE, f64::max);
    let shade = |v: f64| if v.is_finite() { (v / most * SHADES).round().clamp(0.0, SHADES) as u32 } else { 0 };
    let x = |column: usize| left + (right - left) * column as f64 / heat.columns as f64;
    let y = |row: usize| bottom - (bottom - top) * row as f64 / rows as f64;
    for (row, values) in heat.values.chunks_exact(heat.columns).enumerate() {
        let mut from = 0;
        while from < values.len() {
            let level = shade(values[from]);
            let to = (from..values.len()).find(|&i| shade(values[i]) != level).unwrap_or(values.len());
            if level > 0 {
                // the square root opens up the low densities
                let depth = (f64::from(level) / SHADES).sqrt();
                let mix = |dark: f64| (255.0 + (dark - 255.0) * depth) as u8;
                let color = RGBColor(mix(8.0), mix(48.0), mix(107.0));
                canvas.draw(Rectangle::new([pixel((x(from), y(row + 1))), pixel((x(to), y(row)))], color.filled()))?;
            }
            from = to;
        }
    }
    Ok(())
}

fn draw_series<B: DrawingBackend>(
    canvas: &Canvas<B>,
    panel: &Panel,
    s: &Series,
    color: RGBColor,
    (low, high): ([f64; 2], [f64; 2]),
    at: &impl Fn([f64; 2]) -> (f64, f64),
) -> Outcome {
    let points: Vec<_> = s.points.iter().map(|&p| panel.placed(p)).collect();
    if matches!(s.style, Style::Line | Style::Dashed) {
        let mut run: Vec<[f64; 2]> = Vec::new();
        let flush = |run: &mut Vec<[f64; 2]>| {
            let path: Vec<_> = run.drain(..).map(at).collect();
            canvas.polyline(&path, color, 2.0, s.style == Style::Dashed)
        };
        for pair in points.windows(2) {
            match clipped(pair[0], pair[1], low, high) {
                Some((a, b)) => {
                    if run.last() != Some(&a) {
                        flush(&mut run)?;
                        run.push(a);
                    }
                    run.push(b);
                }
                None => flush(&mut run)?,
            }
        }
        return flush(&mut run);
    }
    for (i, &p) in points.iter().enumerate() {
        if !(0..2).all(|axis| p[axis] >= low[axis] && p[axis] <= high[axis]) {
            continue;
        }
        if let Some(&error) = s.errors.get(i) {
            let y = s.points[i].1;
            let lower = panel.place(1, y - error);
            let lower = if lower.is_finite() { lower.max(low[1]) } else { low[1] };
            let ends = [lower, panel.place(1, y + error).min(high[1])].map(|y| at([p[0], y]));
            canvas.polyline(&ends, color, 1.25, false)?;
            for (x, y) in ends {
                canvas.polyline(&[(x - 3.5, y), (x + 3.5, y)], color, 1.25, false)?;
            }
        }
        canvas.disc(at(p), if s.style == Style::Points { 3.5 } else { 1.5 }, color)?;
    }
    Ok(())
}

/// The part of a segment inside a box (Liang and Barsky 1984), if any.
fn clipped(a: [f64; 2], b: [f64; 2], low: [f64; 2], high: [f64; 2]) -> Option<([f64; 2], [f64; 2])> {
    if ![a, b].iter().flatten().all(|v| v.is_finite()) {
        return None;
    }
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for axis in 0..2 {
        let d = b[axis] - a[axis];
        for (towards, room) in [(-d, a[axis] - low[axis]), (d, high[axis] - a[axis])] {
            if towards == 0.0 && room < 0.0 {
                return None;
            } else if towards < 0.0 {
                enter = enter.max(room / towards);
            } else if towards > 0.0 {
                leave = leave.min(room / towards);
            }
        }
    }
    let point = |t: f64| [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
    // the ends themselves come back unchanged, so that neighbouring segments still share them
    let ends = (if enter == 0.0 { a } else { point(enter) }, if leave == 1.0 { b } else { point(leave) });
    (enter <= leave).then_some(ends)
}

/// Round numbers in the range, about `count` of them, with their labels.
fn ticks((low, high): (f64, f64), count: f64) -> Vec<(f64, String)> {
    let raw = (high - low) / count.max(2.0);
    let power = raw.log10().floor();
    let step = [1.0, 2.0, 5.0, 10.0].iter().map(|m| m * 10f64.powf(power)).find(|&step| step >= raw * 0.999).unwrap_or(raw);
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    let values: Vec<f64> = (0..=(last - first) as usize).map(|k| (first + k as f64) * step).collect();
    let largest = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    // plain decimals while they are short, otherwise a power of ten common to the axis
    let exponent = if largest > 0.0 && !(1e-3..1e5).contains(&largest) { largest.log10().floor() } else { 0.0 };
    let decimals = (exponent - step.log10() - 1e-9).ceil().max(0.0) as usize;
    values
        .into_iter()
        .map(|v| {
            let digits = format!("{:.decimals$}", v / 10f64.powf(exponent)).replace('-', "−");
            let zero = v.abs() < step / 2.0;
            let label = match (exponent == 0.0, zero) {
                (_, true) => "0".into(),
                (true, _) => digits,
                (false, _) => format!("{digits}×10{}", superscript(exponent as i32)),
            };
            (v, label)
        })
        .collect()
}

/// Powers of ten in a range of decimal logarithms; their twos and fives as well where there would be fewer than three.
fn log_ticks((low, high): (f64, f64), count: f64) -> Vec<(f64, String)> {
    let every = ((high - low) / count.max(2.0)).ceil().max(1.0) as i32;
    let factors: &[f64] = if high.floor() - low.ceil() < 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let mut found = Vec::new();
    for decade in (low.floor() as i32..=high.ceil() as i32).filter(|d| d.rem_euclid(every) == 0) {
        for &factor in factors {
            let value = decade as f64 + factor.log10();
            let power = format!("10{}", superscript(decade));
            let label = if factor == 1.0 { power } else { format!("{factor}×{power}") };
            if value >= low && value <= high {
                found.push((value, label));
            }
        }
    }
    found
}

fn superscript(number: i32) -> String {
    number
        .to_string()
        .chars()
        .map(|c| if c == '-' { '⁻' } else { ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][c as usize - '0' as usize] })
        .collect()
}
